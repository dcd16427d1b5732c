"""Send Python's log records beside the spans they were written in.

python logging_bridge.py
"""

import logging

import spanloop

log = logging.getLogger("shop")


@spanloop.traced
def pay(order: int) -> None:
    log.warning("card of order %d was refused", order, extra={"order": order})


if __name__ == "__main__":
    spanloop.init("examples")
    logging.getLogger().addHandler(spanloop.logging_handler())
    pay(7)
