// The page's entry: styles, the shell, links that stay inside of the page.
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/pages.css";
import "./styles/evals.css";
import "./styles/work.css";
import "./styles/playground.css";
import { render } from "preact";
import { followLinks } from "./lib/router";
import { Shell } from "./ui/shell";

document.addEventListener("click", followLinks);
render(<Shell />, document.getElementById("page")!);
