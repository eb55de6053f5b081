"""Rule sets in files to one pack.

usage: endpoints_pack.py FOLDER FILE     NAME.json becomes the service NAME, which has no operations
"""
import json
import pathlib
import sys

import botocore.loaders
import generate

NO_SERVICE = {"metadata": {"protocol": "rest-json"}, "operations": {}, "shapes": {}}

models = [generate.Model(path.stem, NO_SERVICE, json.loads(path.read_text())) for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json"))]
partitions = botocore.loaders.Loader().load_data("partitions")
pathlib.Path(sys.argv[2]).write_bytes(generate.build(models, partitions, "rule sets"))
print(f"endpoints: {len(models)} rule sets")
