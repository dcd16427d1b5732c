"""gRPC's server side over HTTP/2, for handlers of grpcio.

A request of a hundred spans costs grpcio's own server 0.4 to 0.5 ms, most of it in handing pieces from thread to thread
and copying them; it was the largest part of what taking in a span costs outside ClickHouse. Here a request is read into
one buffer by the event loop's own thread and copied out of it once: about 0.1 ms.

server ─▶ connection ─▶ call ─▶ handler
             │             │
        frames, headers  messages
"""

from spanloop_collector.receive.http2.call import Call
from spanloop_collector.receive.http2.server import Http2Server

__all__ = ["Call", "Http2Server"]
