# SPDX-License-Identifier: BSD-2-Clause
"""cdi.py FILE: is it what the Container Device Interface's specification asks of a file?"""
import json
import re
import sys

SINCE = {"additionalGids": (0, 7, 0), "intelRdt": (0, 7, 0), "annotations": (0, 6, 0)}
EDITS = {"env", "deviceNodes", "mounts", "hooks", "additionalGids", "intelRdt"}
MOUNT = {"hostPath", "containerPath", "type", "options"}
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.:-]*[A-Za-z0-9])?")
LABEL = re.compile(r"[A-Za-z]([A-Za-z0-9_.-]*[A-Za-z0-9])?")


def edits(value, version):
    assert value and value.keys() <= EDITS, value
    for field in value:
        assert version >= SINCE.get(field, (0, 3, 0)), f"{field} is newer than {version}"
    for variable in value.get("env", []):
        assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*=.*", variable), variable
    for mount in value.get("mounts", []):
        assert {"hostPath", "containerPath"} <= mount.keys() <= MOUNT, mount
        assert mount["hostPath"].startswith("/") and mount["containerPath"].startswith("/"), mount
        assert all(isinstance(option, str) and option for option in mount.get("options", [])), mount
    for gid in value.get("additionalGids", []):
        assert isinstance(gid, int) and 0 < gid < 2**32, gid


spec = json.load(open(sys.argv[1]))
assert {"cdiVersion", "kind", "devices"} <= spec.keys(), spec.keys()
assert spec.keys() <= {"cdiVersion", "kind", "devices", "containerEdits", "annotations"}, spec.keys()
version = tuple(int(part) for part in spec["cdiVersion"].split("."))
assert (0, 3, 0) <= version <= (1, 1, 0), version
assert "annotations" not in spec or version >= SINCE["annotations"]
assert all(isinstance(value, str) for value in spec.get("annotations", {}).values())
vendor, device_class = spec["kind"].split("/")
assert LABEL.fullmatch(vendor) and LABEL.fullmatch(device_class), spec["kind"]
names = [device["name"] for device in spec["devices"]]
assert names and len(names) == len(set(names)) and all(map(NAME.fullmatch, names)), names
for device in spec["devices"]:
    assert device.keys() <= {"name", "annotations", "containerEdits"}, device
    edits(device["containerEdits"], version)
if "containerEdits" in spec:
    edits(spec["containerEdits"], version)
print("\n".join(f"{spec['kind']}={name}" for name in names))
