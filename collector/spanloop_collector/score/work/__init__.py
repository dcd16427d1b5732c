"""A scorer worker: a process of its own that takes tasks over the API and runs each scorer in a process it can kill.

claim ─▶ pool (one per scorer) ─▶ child processes ─▶ report
"""
