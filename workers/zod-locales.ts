/**
 * zod's locales, but English only: `wrangler.toml` puts this file in the place of zod's own index of 50 languages.
 *
 * It must export the name `en`, as zod's index does.
 */
export { default as en } from "zod/v4/locales/en.js";
