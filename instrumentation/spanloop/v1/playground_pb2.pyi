from spanloop.v1 import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListPlaygroundModelsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListPlaygroundModelsResponse(_message.Message):
    __slots__ = ("endpoints", "hint")
    ENDPOINTS_FIELD_NUMBER: _ClassVar[int]
    HINT_FIELD_NUMBER: _ClassVar[int]
    endpoints: _containers.RepeatedCompositeFieldContainer[PlaygroundEndpoint]
    hint: str
    def __init__(self, endpoints: _Optional[_Iterable[_Union[PlaygroundEndpoint, _Mapping]]] = ..., hint: _Optional[str] = ...) -> None: ...

class PlaygroundEndpoint(_message.Message):
    __slots__ = ("name", "kind", "models", "problem")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: str
    models: _containers.RepeatedScalarFieldContainer[str]
    problem: str
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[str] = ..., models: _Optional[_Iterable[str]] = ..., problem: _Optional[str] = ...) -> None: ...

class RunPromptRequest(_message.Message):
    __slots__ = ("endpoint", "model", "messages", "parameters", "input", "expected", "metadata", "scorers")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    SCORERS_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    model: str
    messages: _containers.RepeatedScalarFieldContainer[str]
    parameters: str
    input: str
    expected: str
    metadata: str
    scorers: _containers.RepeatedCompositeFieldContainer[RunScorer]
    def __init__(self, endpoint: _Optional[str] = ..., model: _Optional[str] = ..., messages: _Optional[_Iterable[str]] = ..., parameters: _Optional[str] = ..., input: _Optional[str] = ..., expected: _Optional[str] = ..., metadata: _Optional[str] = ..., scorers: _Optional[_Iterable[_Union[RunScorer, _Mapping]]] = ...) -> None: ...

class RunScorer(_message.Message):
    __slots__ = ("use", "name", "options")
    USE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    use: str
    name: str
    options: str
    def __init__(self, use: _Optional[str] = ..., name: _Optional[str] = ..., options: _Optional[str] = ...) -> None: ...

class RunPromptResponse(_message.Message):
    __slots__ = ("text", "end", "score")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    text: str
    end: RunEnd
    score: RunScore
    def __init__(self, text: _Optional[str] = ..., end: _Optional[_Union[RunEnd, _Mapping]] = ..., score: _Optional[_Union[RunScore, _Mapping]] = ...) -> None: ...

class RunEnd(_message.Message):
    __slots__ = ("error", "output", "messages", "reply", "model", "duration", "time_to_first_token", "prompt_tokens", "completion_tokens", "cached_tokens", "cost")
    ERROR_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    REPLY_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    TIME_TO_FIRST_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    COMPLETION_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHED_TOKENS_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    error: str
    output: str
    messages: _containers.RepeatedScalarFieldContainer[str]
    reply: str
    model: str
    duration: float
    time_to_first_token: float
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    cost: float
    def __init__(self, error: _Optional[str] = ..., output: _Optional[str] = ..., messages: _Optional[_Iterable[str]] = ..., reply: _Optional[str] = ..., model: _Optional[str] = ..., duration: _Optional[float] = ..., time_to_first_token: _Optional[float] = ..., prompt_tokens: _Optional[int] = ..., completion_tokens: _Optional[int] = ..., cached_tokens: _Optional[int] = ..., cost: _Optional[float] = ...) -> None: ...

class RunScore(_message.Message):
    __slots__ = ("name", "score", "reason", "error")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    name: str
    score: float
    reason: str
    error: str
    def __init__(self, name: _Optional[str] = ..., score: _Optional[float] = ..., reason: _Optional[str] = ..., error: _Optional[str] = ...) -> None: ...
