export * from "voy-search/voy_search_bg.js";
