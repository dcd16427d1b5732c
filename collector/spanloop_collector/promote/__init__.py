"""Promotion: rows of logs, traces, experiments and datasets copied into a dataset, inside ClickHouse.

request → `spec` → `select` (a SELECT that passes the same guard as SQL from outside) → `copy` (INSERT … SELECT)
                                                                                  └─▶ `jobs` (staged, for Python)
"""
