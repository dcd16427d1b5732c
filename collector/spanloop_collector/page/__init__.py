"""The web page: built files under `static/`, made from `collector/page/` by `npm run build` there."""
