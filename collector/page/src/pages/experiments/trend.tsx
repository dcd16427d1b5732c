// The means of the scores, run after run.
import type { Run } from "./runs";
import { parseTime, score } from "../../lib/format";
import { go, addressOf } from "../../lib/router";
import { COLOURS, Legend, useWidth } from "../../ui/charts";

const HEIGHT = 112;
const TOP = 8;
const BOTTOM = 8;
const LEFT = 40;

/** One place for each run, the oldest at the left: runs come in bursts, so that a time axis would show little. */
export function Trend({ runs, scores }: { runs: Run[]; scores: string[] }) {
  const [box, width] = useWidth<HTMLDivElement>();
  const inOrder = [...runs].sort((a, b) => parseTime(a.created) - parseTime(b.created));
  const x = (at: number) => LEFT + 8 + (inOrder.length > 1 ? (at / (inOrder.length - 1)) * (width - LEFT - 24) : 0);
  const y = (value: number) => TOP + (1 - value) * (HEIGHT - TOP - BOTTOM);
  if (!scores.length) return null;
  return (
    <div class="trend">
      <div class="chart" ref={box}>
        {width > 0 && (
          <svg width={width} height={HEIGHT} role="group" aria-label={describe(inOrder, scores)}>
            {[0, 0.5, 1].map((value) => (
              <g key={value}>
                <line class="grid-line" x1={LEFT} x2={width - 8} y1={y(value)} y2={y(value)} />
                <text class="axis" x={LEFT - 6} y={y(value) + 3.5} text-anchor="end">{score(value)}</text>
              </g>
            ))}
            {scores.map((name, number) => {
              const points = inOrder.flatMap((run, at) => (name in run.scores ? [{ run, x: x(at), y: y(run.scores[name]!) }] : []));
              return (
                <g key={name} class={`series c${number % COLOURS}`}>
                  <path class="line" d={points.map((point, at) => `${at ? "L" : "M"}${point.x.toFixed(1)} ${point.y.toFixed(1)}`).join("")} />
                  {points.map((point) => (
                    <Point key={point.run.id} x={point.x} y={point.y} run={point.run} words={`${point.run.name}: ${name} ${score(point.run.scores[name]!)}`} />
                  ))}
                </g>
              );
            })}
          </svg>
        )}
      </div>
      <Legend names={scores} />
    </div>
  );
}

function Point({ x, y, run, words }: { x: number; y: number; run: Run; words: string }) {
  const open = () => go(addressOf(`experiments/${run.name}`));
  return (
    <circle class="pick" role="link" tabIndex={0} aria-label={words} cx={x} cy={y} r={3.5} onClick={open} onKeyDown={(event) => event.key === "Enter" && (event.preventDefault(), open())}>
      <title>{words}</title>
    </circle>
  );
}

function describe(runs: Run[], scores: string[]): string {
  const last = (name: string) => runs.findLast((run) => name in run.scores)?.scores[name];
  return `Scores of ${runs.length} experiments. ${scores.map((name) => `${name}: newest ${score(last(name) ?? 0)}`).join("; ")}`;
}
