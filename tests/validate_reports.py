"""Validates reports against their JSON Schemas: arguments are schema, report, schema, report and so on.

A field that the schema does not name is a mistake here, although a program that reads reports has to pass over it.
"""

import json
import sys

from jsonschema import Draft202012Validator


def closed(schema):
    """The same schema, with objects that have no other fields than those it names."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict):
        schema.setdefault("additionalProperties", False)
    return schema


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


wrong = 0
for path, report in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
    schema = read(path)
    Draft202012Validator.check_schema(schema)
    for error in Draft202012Validator(closed(schema)).iter_errors(read(report)):
        print(f"{report}: {error.json_path}: {error.message}", file=sys.stderr)
        wrong += 1
sys.exit(1 if wrong else 0)
