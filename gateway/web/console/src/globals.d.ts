/* The bundled world's path, put in by tools/build.mjs. */
declare const BASEMAP: string;
