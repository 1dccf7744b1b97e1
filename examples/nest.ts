// Sign-in, refresh, sign-out and a protected route on NestJS; "experimentalDecorators" is on in its tsconfig.json.

import { Body, Controller, Delete, Get, HttpCode, Module, Post, UnauthorizedException } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { createAuth } from 'tallystick'
import { Authorize, JwtRequired, Subject, TallystickModule } from 'tallystick/nest'
import type { AuthorizeOf } from 'tallystick/nest'

const auth = createAuth({ secretKey: process.env['AUTHJWT_SECRET_KEY'] })
type MyAuthorize = AuthorizeOf<typeof auth>

@Controller()
class AuthController {
  @Post('login')
  @HttpCode(200)
  async login(@Body() body: Record<string, string> | undefined, @Authorize() authorize: MyAuthorize) {
    const { username, password } = body ?? {}
    if (username !== 'test' || password !== 'test')
      throw new UnauthorizedException({ detail: 'Bad username or password' })
    await authorize.login(username)
    return { msg: 'Successfully login' }
  }
  @Post('refresh') @HttpCode(200) async refresh(@Authorize() authorize: MyAuthorize) {
    await authorize.refresh()
    return { msg: 'The token has been refresh' }
  }
  @Delete('logout') async logout(@Authorize() authorize: MyAuthorize) {
    await authorize.logout()
    return { msg: 'Successfully logout' }
  }
  @Get('protected') @JwtRequired() whoami(@Subject() user: string) {
    return { user }
  }
}

@Module({ imports: [TallystickModule.forRoot(auth)], controllers: [AuthController] })
class AppModule {}

const app = await NestFactory.create(AppModule)
await app.listen(Number(process.env['PORT'] ?? 3000))
