"""Validates bills of materials: CycloneDX's own JSON schema, references that lead somewhere, canonical package URLs."""

import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL


def problems(text):
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if error is not None:
        yield error
        return
    bill = json.loads(text)
    components = [bill["metadata"]["component"], *bill["components"]]
    known = [component["bom-ref"] for component in components]
    if len(set(known)) != len(known):
        yield "a reference is there twice"
    used = [ref for dependency in bill["dependencies"] for ref in [dependency["ref"], *dependency["dependsOn"]]]
    used += [ref for composition in bill.get("compositions", []) for ref in composition["assemblies"]]
    for ref in set(used) - set(known):
        yield f"{ref} is nothing"
    for component in components:
        purl = component.get("purl")
        if purl is not None and PackageURL.from_string(purl).to_string() != purl:
            yield f"{purl} is written as {PackageURL.from_string(purl).to_string()}"


wrong = 0
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        for problem in problems(file.read()):
            print(f"{path}: {problem}", file=sys.stderr)
            wrong += 1
sys.exit(1 if wrong else 0)
