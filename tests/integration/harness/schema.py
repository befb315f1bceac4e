"""lldb-cgo/stacks/1 as a JSON schema: what scripts may rely on."""

HEX = {"type": "string", "pattern": "^0x[0-9a-f]+$"}
NULL_OR_STRING = {"type": ["string", "null"]}

FRAME = {
    "type": "object",
    "required": ["index", "language", "function", "module", "pc", "sp", "file", "line", "inlined", "plumbing",
                 "crossing", "certainty"],
    "properties": {
        "index": {"type": "integer", "minimum": 0},
        "language": {"enum": ["go", "c", "c++", "asm", "unknown"]},
        "function": NULL_OR_STRING,
        "module": NULL_OR_STRING,
        "pc": HEX,
        "sp": HEX,
        "file": NULL_OR_STRING,
        "line": {"type": ["integer", "null"], "minimum": 0},
        "inlined": {"type": "boolean"},
        "tail_call": {"type": "boolean"},
        "plumbing": {"type": "boolean"},
        "crossing": {"enum": [None, "go_to_c", "c_to_go", "signal", "system_stack"]},
        "certainty": {"enum": ["exact", "guess"]},
    },
}

GAP = {"type": "object", "required": ["gap"], "properties": {"gap": {"type": "string", "minLength": 1}}}

STACKS = {
    "type": "object",
    "required": ["schema", "stacks"],
    "properties": {
        "schema": {"const": "lldb-cgo/stacks/1"},
        "partial": {"type": "string", "minLength": 1},
        "crashed_thread": {
            "type": "object", "required": ["index", "tid", "what"],
            "properties": {"index": {"type": "integer"}, "tid": {"type": "integer"}, "what": {"type": "string"}}},
        "stacks": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["thread", "goroutine", "complete", "end", "error", "frames"],
                "properties": {
                    "thread": {"anyOf": [{"type": "null"}, {
                        "type": "object", "required": ["index", "tid"],
                        "properties": {"index": {"type": "integer"}, "tid": {"type": "integer"}, "name": NULL_OR_STRING}}]},
                    "goroutine": {"anyOf": [{"type": "null"}, {
                        "type": "object", "required": ["id", "state", "wait_reason"],
                        "properties": {"id": {"type": "integer"}, "state": {"type": "string"}, "wait_reason": NULL_OR_STRING}}]},
                    "complete": {"type": "boolean"},
                    "end": {"enum": ["goroutine_entry", "thread_entry", "no_rule", "no_progress", "bad_memory", "frame_limit"]},
                    "error": {},
                    "frames": {"type": "array", "items": {"anyOf": [GAP, FRAME]}},
                },
            },
        },
    },
}
