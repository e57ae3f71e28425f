"""Compiles shaders with naga, the front end of Firefox: reads {name: code} from stdin, writes {name: message} of those it refuses."""

import json
import sys

import wgpu

device = wgpu.gpu.request_adapter_sync().request_device_sync()
refused = {}
for name, code in json.load(sys.stdin).items():
    try:
        device.create_shader_module(code=code)
    except Exception as error:  # noqa: BLE001: whatever it is, it is told
        refused[name] = str(error)
json.dump(refused, sys.stdout)
