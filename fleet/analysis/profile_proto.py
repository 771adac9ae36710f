"""The messages of profile.proto that are read here, as classes of protobuf: google/pprof publishes no Python package.

Fields and their numbers are those of the format's published description (google/pprof, proto/profile.proto); what is
not listed is passed over.
"""

from __future__ import annotations

from functools import cache
from typing import Any

PACKAGE = "perftools.profiles"
_MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    "ValueType": {"type": (1, "int64"), "unit": (2, "int64")},
    "Sample": {"location_id": (1, "uint64*"), "value": (2, "int64*")},
    "Line": {"function_id": (1, "uint64")},
    "Location": {"id": (1, "uint64"), "line": (4, "Line*")},
    "Function": {"id": (1, "uint64"), "name": (2, "int64")},
    "Profile": {
        "sample_type": (1, "ValueType*"),
        "sample": (2, "Sample*"),
        "location": (4, "Location*"),
        "function": (5, "Function*"),
        "string_table": (6, "bytes*"),  # of the same form as string, which refuses a name that is no UTF-8
        "drop_frames": (7, "int64"),
        "keep_frames": (8, "int64"),
        "time_nanos": (9, "int64"),
        "duration_nanos": (10, "int64"),
        "default_sample_type": (14, "int64"),
    },
}
"""Message -> field -> number and type; `*` means repeated."""


@cache
def profile_class() -> Any:
    """The class of the message Profile; its instances have the fields above."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # noqa: PLC0415 - 30 ms

    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="profile.proto", package=PACKAGE, syntax="proto3")
    for message, fields in _MESSAGES.items():
        made = file.message_type.add(name=message)
        for name, (number, type_) in fields.items():
            base = type_.rstrip("*")
            one = made.field.add(name=name, number=number)
            one.label = kinds.LABEL_REPEATED if type_ != base else kinds.LABEL_OPTIONAL
            if base in _MESSAGES:
                one.type, one.type_name = kinds.TYPE_MESSAGE, f".{PACKAGE}.{base}"
            else:
                one.type = kinds.Type.Value(f"TYPE_{base.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.Profile"))
