/** @type {import('next').NextConfig} */
export default {
  // tsc and oxlint look at this folder with all the others.
  typescript: { ignoreBuildErrors: true },
  poweredByHeader: false,
}
