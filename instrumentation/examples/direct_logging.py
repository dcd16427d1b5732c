"""Write rows without spans: what a batch job, another system or a file has to say.

python direct_logging.py
"""

import time

import spanloop

logger = spanloop.init_logger("examples")

# Whole, at once. A row is finished, and may be scored, when it has an end.
logger.log(input="What is the capital of France?", output="Paris.", metrics={"end": time.time()})

# Piece by piece, perhaps in several processes: the id makes it one row.
logger.log(id="ticket-7", name="support", input="Where is my order?", metadata={"customer": "ada"})
logger.log(id="ticket-7", output="On its way.", tags=["shop"], scores={"polite": 1.0})
logger.end("ticket-7")

# What people say later.
logger.log_feedback("ticket-7", scores={"thumbs": 0.0}, expected="It arrived yesterday.", comment="wrong order")

if __name__ == "__main__":
    logger.flush()
