"""One trace over two processes: the parent's `traceparent` travels with the job.

python across_processes.py
"""

import subprocess
import sys

import spanloop


def produce() -> None:
    with spanloop.start_span("order", type="task", input={"order": 7}) as span:
        subprocess.run([sys.executable, __file__, span.export()], check=True)


def work(traceparent: str) -> None:
    with spanloop.start_span("ship", type="task", parent=traceparent) as span:
        span.log(output="shipped")


if __name__ == "__main__":
    spanloop.init("examples")
    if len(sys.argv) > 1:
        work(sys.argv[1])
    else:
        produce()
