"""Join an application that traces with OpenTelemetry already: one tree, both exporters.

python opentelemetry_application.py
"""

import spanloop
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

provider = TracerProvider()
trace.set_tracer_provider(provider)
tracer = trace.get_tracer("shop")


@spanloop.traced
def recommend(customer: str) -> list[str]:
    with tracer.start_as_current_span("sql") as span:
        span.set_attribute("db.system.name", "postgresql")
        return ["lamp"]


if __name__ == "__main__":
    spanloop.init("examples", tracer_provider=provider)
    with tracer.start_as_current_span("GET /recommendations"):
        print(recommend("ada"))
