import { createAuth } from 'tallystick'
import { h3Auth } from 'tallystick/h3'

const auth = createAuth({ secretKey: process.env['AUTHJWT_SECRET_KEY'] })

export const { authorize, authErrors, jwtRequired } = h3Auth(auth)
