// Sign-in, refresh, sign-out and a protected route on Nuxt 4; what is in server/utils/ is known to all routes.

export default defineNuxtConfig({ compatibilityDate: '2026-01-01', telemetry: false })
