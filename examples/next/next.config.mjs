/** @type {import('next').NextConfig} */
export default {
  // The project around this example runs tsc itself.
  typescript: { ignoreBuildErrors: true },
  poweredByHeader: false,
}
