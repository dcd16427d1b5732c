from spanloop.v1 import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Dataset(_message.Message):
    __slots__ = ("id", "project", "name", "description", "metadata", "tags", "input_schema", "expected_schema", "created", "version", "row_count")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    INPUT_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ROW_COUNT_FIELD_NUMBER: _ClassVar[int]
    id: str
    project: str
    name: str
    description: str
    metadata: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    input_schema: str
    expected_schema: str
    created: str
    version: str
    row_count: int
    def __init__(self, id: _Optional[str] = ..., project: _Optional[str] = ..., name: _Optional[str] = ..., description: _Optional[str] = ..., metadata: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., input_schema: _Optional[str] = ..., expected_schema: _Optional[str] = ..., created: _Optional[str] = ..., version: _Optional[str] = ..., row_count: _Optional[int] = ...) -> None: ...

class CreateDatasetRequest(_message.Message):
    __slots__ = ("project", "name", "description", "metadata", "tags", "input_schema", "expected_schema")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    INPUT_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    project: str
    name: str
    description: str
    metadata: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    input_schema: str
    expected_schema: str
    def __init__(self, project: _Optional[str] = ..., name: _Optional[str] = ..., description: _Optional[str] = ..., metadata: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., input_schema: _Optional[str] = ..., expected_schema: _Optional[str] = ...) -> None: ...

class CreateDatasetResponse(_message.Message):
    __slots__ = ("dataset", "is_new")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    IS_NEW_FIELD_NUMBER: _ClassVar[int]
    dataset: Dataset
    is_new: bool
    def __init__(self, dataset: _Optional[_Union[Dataset, _Mapping]] = ..., is_new: _Optional[bool] = ...) -> None: ...

class ListDatasetsRequest(_message.Message):
    __slots__ = ("project", "name")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    project: str
    name: str
    def __init__(self, project: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class ListDatasetsResponse(_message.Message):
    __slots__ = ("datasets",)
    DATASETS_FIELD_NUMBER: _ClassVar[int]
    datasets: _containers.RepeatedCompositeFieldContainer[Dataset]
    def __init__(self, datasets: _Optional[_Iterable[_Union[Dataset, _Mapping]]] = ...) -> None: ...

class GetDatasetRequest(_message.Message):
    __slots__ = ("dataset_id",)
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    def __init__(self, dataset_id: _Optional[str] = ...) -> None: ...

class GetDatasetResponse(_message.Message):
    __slots__ = ("dataset",)
    DATASET_FIELD_NUMBER: _ClassVar[int]
    dataset: Dataset
    def __init__(self, dataset: _Optional[_Union[Dataset, _Mapping]] = ...) -> None: ...

class UpdateDatasetRequest(_message.Message):
    __slots__ = ("dataset_id", "name", "description", "metadata", "tags", "input_schema", "expected_schema")
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    INPUT_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    name: str
    description: str
    metadata: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    input_schema: str
    expected_schema: str
    def __init__(self, dataset_id: _Optional[str] = ..., name: _Optional[str] = ..., description: _Optional[str] = ..., metadata: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., input_schema: _Optional[str] = ..., expected_schema: _Optional[str] = ...) -> None: ...

class UpdateDatasetResponse(_message.Message):
    __slots__ = ("dataset",)
    DATASET_FIELD_NUMBER: _ClassVar[int]
    dataset: Dataset
    def __init__(self, dataset: _Optional[_Union[Dataset, _Mapping]] = ...) -> None: ...

class DeleteDatasetRequest(_message.Message):
    __slots__ = ("dataset_id",)
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    def __init__(self, dataset_id: _Optional[str] = ...) -> None: ...

class DeleteDatasetResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DatasetRow(_message.Message):
    __slots__ = ("id", "input", "expected", "metadata", "tags", "origin", "created", "version")
    ID_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    id: str
    input: str
    expected: str
    metadata: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    origin: str
    created: str
    version: str
    def __init__(self, id: _Optional[str] = ..., input: _Optional[str] = ..., expected: _Optional[str] = ..., metadata: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., origin: _Optional[str] = ..., created: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class WriteDatasetRowsRequest(_message.Message):
    __slots__ = ("dataset_id", "rows", "is_merge", "operation")
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    IS_MERGE_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    rows: _containers.RepeatedCompositeFieldContainer[DatasetRow]
    is_merge: bool
    operation: str
    def __init__(self, dataset_id: _Optional[str] = ..., rows: _Optional[_Iterable[_Union[DatasetRow, _Mapping]]] = ..., is_merge: _Optional[bool] = ..., operation: _Optional[str] = ...) -> None: ...

class WriteDatasetRowsResponse(_message.Message):
    __slots__ = ("results", "version", "inserted", "updated", "unchanged", "rejected")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    INSERTED_FIELD_NUMBER: _ClassVar[int]
    UPDATED_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[DatasetRowResult]
    version: str
    inserted: int
    updated: int
    unchanged: int
    rejected: int
    def __init__(self, results: _Optional[_Iterable[_Union[DatasetRowResult, _Mapping]]] = ..., version: _Optional[str] = ..., inserted: _Optional[int] = ..., updated: _Optional[int] = ..., unchanged: _Optional[int] = ..., rejected: _Optional[int] = ...) -> None: ...

class DatasetRowResult(_message.Message):
    __slots__ = ("id", "error")
    ID_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    id: str
    error: str
    def __init__(self, id: _Optional[str] = ..., error: _Optional[str] = ...) -> None: ...

class DeleteDatasetRowsRequest(_message.Message):
    __slots__ = ("dataset_id", "ids")
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, dataset_id: _Optional[str] = ..., ids: _Optional[_Iterable[str]] = ...) -> None: ...

class DeleteDatasetRowsResponse(_message.Message):
    __slots__ = ("version", "deleted")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    version: str
    deleted: int
    def __init__(self, version: _Optional[str] = ..., deleted: _Optional[int] = ...) -> None: ...

class FetchDatasetRowsRequest(_message.Message):
    __slots__ = ("dataset_id", "version", "cursor", "limit", "id")
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    version: str
    cursor: str
    limit: int
    id: str
    def __init__(self, dataset_id: _Optional[str] = ..., version: _Optional[str] = ..., cursor: _Optional[str] = ..., limit: _Optional[int] = ..., id: _Optional[str] = ...) -> None: ...

class FetchDatasetRowsResponse(_message.Message):
    __slots__ = ("rows", "next_cursor", "version")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[DatasetRow]
    next_cursor: str
    version: str
    def __init__(self, rows: _Optional[_Iterable[_Union[DatasetRow, _Mapping]]] = ..., next_cursor: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class ListDatasetVersionsRequest(_message.Message):
    __slots__ = ("dataset_id", "limit")
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    limit: int
    def __init__(self, dataset_id: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class DatasetVersion(_message.Message):
    __slots__ = ("version", "created", "operation", "inserted", "updated", "deleted", "key_id", "snapshots")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    INSERTED_FIELD_NUMBER: _ClassVar[int]
    UPDATED_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOTS_FIELD_NUMBER: _ClassVar[int]
    version: str
    created: str
    operation: str
    inserted: int
    updated: int
    deleted: int
    key_id: str
    snapshots: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, version: _Optional[str] = ..., created: _Optional[str] = ..., operation: _Optional[str] = ..., inserted: _Optional[int] = ..., updated: _Optional[int] = ..., deleted: _Optional[int] = ..., key_id: _Optional[str] = ..., snapshots: _Optional[_Iterable[str]] = ...) -> None: ...

class ListDatasetVersionsResponse(_message.Message):
    __slots__ = ("versions",)
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[DatasetVersion]
    def __init__(self, versions: _Optional[_Iterable[_Union[DatasetVersion, _Mapping]]] = ...) -> None: ...

class DiffDatasetVersionsRequest(_message.Message):
    __slots__ = ("dataset_id", "from_version", "to_version", "limit")
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_VERSION_FIELD_NUMBER: _ClassVar[int]
    TO_VERSION_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    from_version: str
    to_version: str
    limit: int
    def __init__(self, dataset_id: _Optional[str] = ..., from_version: _Optional[str] = ..., to_version: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class DatasetRowDiff(_message.Message):
    __slots__ = ("id", "change", "fields", "before", "after")
    ID_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    id: str
    change: str
    fields: _containers.RepeatedScalarFieldContainer[str]
    before: DatasetRow
    after: DatasetRow
    def __init__(self, id: _Optional[str] = ..., change: _Optional[str] = ..., fields: _Optional[_Iterable[str]] = ..., before: _Optional[_Union[DatasetRow, _Mapping]] = ..., after: _Optional[_Union[DatasetRow, _Mapping]] = ...) -> None: ...

class DiffDatasetVersionsResponse(_message.Message):
    __slots__ = ("from_version", "to_version", "added", "removed", "changed", "rows")
    FROM_VERSION_FIELD_NUMBER: _ClassVar[int]
    TO_VERSION_FIELD_NUMBER: _ClassVar[int]
    ADDED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    from_version: str
    to_version: str
    added: int
    removed: int
    changed: int
    rows: _containers.RepeatedCompositeFieldContainer[DatasetRowDiff]
    def __init__(self, from_version: _Optional[str] = ..., to_version: _Optional[str] = ..., added: _Optional[int] = ..., removed: _Optional[int] = ..., changed: _Optional[int] = ..., rows: _Optional[_Iterable[_Union[DatasetRowDiff, _Mapping]]] = ...) -> None: ...

class RestoreDatasetRequest(_message.Message):
    __slots__ = ("dataset_id", "version", "dry_run")
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    version: str
    dry_run: bool
    def __init__(self, dataset_id: _Optional[str] = ..., version: _Optional[str] = ..., dry_run: _Optional[bool] = ...) -> None: ...

class RestoreDatasetResponse(_message.Message):
    __slots__ = ("rows_to_restore", "rows_to_delete", "version")
    ROWS_TO_RESTORE_FIELD_NUMBER: _ClassVar[int]
    ROWS_TO_DELETE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    rows_to_restore: int
    rows_to_delete: int
    version: str
    def __init__(self, rows_to_restore: _Optional[int] = ..., rows_to_delete: _Optional[int] = ..., version: _Optional[str] = ...) -> None: ...

class DatasetSnapshot(_message.Message):
    __slots__ = ("name", "version", "description", "created")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    description: str
    created: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., description: _Optional[str] = ..., created: _Optional[str] = ...) -> None: ...

class CreateDatasetSnapshotRequest(_message.Message):
    __slots__ = ("dataset_id", "name", "version", "description")
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    name: str
    version: str
    description: str
    def __init__(self, dataset_id: _Optional[str] = ..., name: _Optional[str] = ..., version: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class CreateDatasetSnapshotResponse(_message.Message):
    __slots__ = ("snapshot",)
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    snapshot: DatasetSnapshot
    def __init__(self, snapshot: _Optional[_Union[DatasetSnapshot, _Mapping]] = ...) -> None: ...

class ListDatasetSnapshotsRequest(_message.Message):
    __slots__ = ("dataset_id",)
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    def __init__(self, dataset_id: _Optional[str] = ...) -> None: ...

class ListDatasetSnapshotsResponse(_message.Message):
    __slots__ = ("snapshots",)
    SNAPSHOTS_FIELD_NUMBER: _ClassVar[int]
    snapshots: _containers.RepeatedCompositeFieldContainer[DatasetSnapshot]
    def __init__(self, snapshots: _Optional[_Iterable[_Union[DatasetSnapshot, _Mapping]]] = ...) -> None: ...

class DeleteDatasetSnapshotRequest(_message.Message):
    __slots__ = ("dataset_id", "name")
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    name: str
    def __init__(self, dataset_id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class DeleteDatasetSnapshotResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
