"""Answers the questions of a folder with DuckDB: one thread, tables in memory."""

import json
import statistics
import sys
import time

try:
    import duckdb
except ImportError:
    sys.exit(1)

folder, rounds = sys.argv[1], int(sys.argv[2])
db = duckdb.connect()
db.execute("SET threads TO 1")
db.execute("SET TimeZone = 'UTC'")

# Names as enumerations: the quickest that DuckDB has for them.
TABLES = {
    "incident": "number BIGINT, title VARCHAR, service VARCHAR, policy VARCHAR, urgency VARCHAR, priority VARCHAR,"
    " began TIMESTAMP, test BOOLEAN, merged BOOLEAN, ack_us BIGINT, resolve_us BIGINT",
    "page": "incident BIGINT, service VARCHAR, person VARCHAR, began TIMESTAMP, test BOOLEAN, out_of_hours BOOLEAN,"
    " hour TIMESTAMP",
    "deployment": "id VARCHAR, service VARCHAR, began TIMESTAMP, success BOOLEAN",
}
ENUMS = ["service", "policy", "urgency", "priority", "person"]
for table, columns in TABLES.items():
    db.execute(f"CREATE TABLE {table} ({columns})")
    db.execute(f"COPY {table} FROM '{folder}/{table}.csv' (HEADER false)")
db.execute("CREATE TYPE service AS ENUM (SELECT DISTINCT service FROM incident ORDER BY 1)")
for name, table in [("policy", "incident"), ("urgency", "incident"), ("priority", "incident"), ("person", "page")]:
    db.execute(f"CREATE TYPE {name} AS ENUM (SELECT DISTINCT {name} FROM {table} ORDER BY 1)")
for table, columns in TABLES.items():
    for column in columns.split(", "):
        name = column.strip().split(" ")[0]
        if name in ENUMS:
            db.execute(f"ALTER TABLE {table} ALTER {name} TYPE {name}")

answers = []
with open(f"{folder}/questions.json", encoding="utf-8") as questions:
    for sql in json.load(questions):
        took = []
        for _ in range(rounds):
            begun = time.perf_counter()
            rows = db.execute(sql).fetchall()
            took.append(time.perf_counter() - begun)
        rows = [
            {"key": key, "bucket": bucket.strftime("%Y-%m-%d") if bucket else "", "n": n, "value": value or 0.0}
            for key, bucket, n, value in rows
        ]
        rows.sort(key=lambda row: (row["key"], row["bucket"]))
        answers.append({"seconds": statistics.median(took), "rows": rows})
json.dump(answers, sys.stdout, default=float)
