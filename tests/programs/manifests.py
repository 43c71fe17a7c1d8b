# SPDX-License-Identifier: BSD-2-Clause
"""manifests.py check|pod|helper FILE...: what is in the manifests of examples/kubernetes.

check: does the API's own model know every object and field, with the types that it wants? And do the objects
belong together? pod, helper: the wiring of the server and of the helper, as JSON, for a test that does the same.
"""
import json
import sys

import yaml
from kubernetes.client import ApiClient
from kubernetes.client import models

MODELS = {("v1", "Namespace"): "V1Namespace", ("v1", "ConfigMap"): "V1ConfigMap", ("v1", "Service"): "V1Service",
          ("apps/v1", "DaemonSet"): "V1DaemonSet", ("apps/v1", "Deployment"): "V1Deployment"}


def known(model, value, where):
    """Every field of value is one of the model, and so on down; the model itself looks at what is required."""
    if model.startswith("list["):
        for i, item in enumerate(value):
            known(model[5:-1], item, f"{where}[{i}]")
    elif model.startswith("dict("):
        assert isinstance(value, dict), where
        for key, item in value.items():
            known(model[5:-1].split(", ", 1)[1], item, f"{where}.{key}")
    elif model in ("str", "int", "bool", "float"):
        # Python's True is an int; the API's is not
        assert type(value).__name__ == model, f"{where}: {value!r} is no {model}"
    elif model != "object":
        kind = getattr(models, model)
        fields = {name: field for field, name in kind.attribute_map.items()}
        assert isinstance(value, dict), where
        for key, item in value.items():
            assert key in fields, f"{where}.{key}: {model} has no such field"
            known(kind.openapi_types[fields[key]], item, f"{where}.{key}")


class Answer:
    def __init__(self, value):
        self.data = json.dumps(value)


def pod_of(thing):
    return thing["spec"]["template"]["spec"]


def check(things):
    for thing in things:
        name = f"{thing['kind']} {thing['metadata']['name']}"
        model = MODELS[thing["apiVersion"], thing["kind"]]
        known(model, thing, name)
        back = ApiClient().sanitize_for_serialization(ApiClient().deserialize(Answer(thing), model))
        assert back == thing, f"{name}: {back} came back"
        if thing["kind"] in ("DaemonSet", "Deployment"):
            labels = thing["spec"]["template"]["metadata"]["labels"]
            assert thing["spec"]["selector"]["matchLabels"].items() <= labels.items(), name
            pod = pod_of(thing)
            volumes = {volume["name"] for volume in pod["volumes"]}
            for container in pod["containers"] + pod.get("initContainers", []):
                assert {mount["name"] for mount in container["volumeMounts"]} <= volumes, name
                assert container["securityContext"]["allowPrivilegeEscalation"] is False, name
                assert container["securityContext"]["capabilities"]["drop"] == ["ALL"], name
                assert "privileged" not in container["securityContext"], name
        if thing["kind"] == "Service":
            found = [t for t in things if t["kind"] == "Deployment"
                     and thing["spec"]["selector"].items() <= t["spec"]["template"]["metadata"]["labels"].items()]
            assert found, f"{name}: no Pod has its labels"
    pod, = [pod_of(t) for t in things if t["kind"] == "Deployment"]
    server, = pod["containers"]
    assert "add" not in server["securityContext"]["capabilities"] and "hostPID" not in pod
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert [m["readOnly"] for m in server["volumeMounts"]] == [True]
    helper, = [pod_of(t) for t in things if t["kind"] == "DaemonSet"]
    group = helper["containers"][0]["securityContext"]["runAsGroup"]
    assert pod["securityContext"]["supplementalGroups"] == [group]
    paths = [{v["name"]: v["hostPath"]["path"] for v in p["volumes"] if "hostPath" in v} for p in (pod, helper)]
    assert paths[0]["skl"] == paths[1]["run"]
    for thing in things:
        print(thing["kind"], thing["metadata"]["name"])


def main():
    things = [thing for name in sys.argv[2:] for thing in yaml.safe_load_all(open(name)) if thing]
    if sys.argv[1] == "check":
        check(things)
        return
    kind = {"pod": "Deployment", "helper": "DaemonSet"}[sys.argv[1]]
    pod, = [pod_of(t) for t in things if t["kind"] == kind]
    container = pod["containers"][0]
    print(json.dumps({"pod": pod, "container": container}))


main()
