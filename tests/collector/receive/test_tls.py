"""TLS and client certificates on both transports."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import grpc
import grpc.aio
import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from spanloop_collector.errors import ConfigError
from spanloop_collector.settings import AuthSettings

from tests.collector.receive.conftest import Receiver, StartReceiver
from tests.collector.receive.otlp import span, trace_request
from tests.support.certificates import Certificates, make_certificates


def tls(certificates: Certificates, *, is_mutual: bool) -> AuthSettings:
    return AuthSettings(
        tls_certificate=certificates.server_certificate,
        tls_key=certificates.server_key,
        tls_client_ca=certificates.authority if is_mutual else None,
    )


def channel_credentials(trusted: Path, client: Certificates | None) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(
        trusted.read_bytes(),
        client.client_key.read_bytes() if client else None,
        client.client_certificate.read_bytes() if client else None,
    )


async def send_grpc(receiver: Receiver, trusted: Path, client: Certificates | None) -> None:
    credentials = channel_credentials(trusted, client)
    async with grpc.aio.secure_channel(receiver.grpc_target, credentials) as channel:
        stub = TraceServiceStub(channel)  # type: ignore[no-untyped-call]  # generated
        await stub.Export(trace_request(span(1)), timeout=10)


async def send_http(receiver: Receiver, trusted: Path, client: Certificates | None) -> None:
    context = ssl.create_default_context(cafile=str(trusted))
    if client:
        context.load_cert_chain(client.client_certificate, client.client_key)
    async with httpx.AsyncClient(verify=context, trust_env=False, timeout=10) as session:
        url = receiver.url("/v1/traces").replace("http://", "https://")
        content = trace_request(span(1)).SerializeToString()
        response = await session.post(url, content=content, headers={"content-type": "application/x-protobuf"})
        response.raise_for_status()


def make_directory(path: Path) -> Path:
    path.mkdir()
    return path


Send = Callable[[Receiver, Path, Certificates | None], Awaitable[None]]
SENDERS = pytest.mark.parametrize("send", [send_grpc, send_http])
REFUSALS = (grpc.aio.AioRpcError, httpx.HTTPError, ssl.SSLError)


@SENDERS
async def test_tls_is_spoken(start_receiver: StartReceiver, certificates: Certificates, send: Send) -> None:
    receiver = await start_receiver(auth=tls(certificates, is_mutual=False))
    await send(receiver, certificates.authority, None)
    assert await receiver.spans() == [span(1)]


@SENDERS
async def test_client_certificate_is_demanded(
    start_receiver: StartReceiver, certificates: Certificates, send: Send
) -> None:
    receiver = await start_receiver(auth=tls(certificates, is_mutual=True))
    with pytest.raises(REFUSALS):
        await send(receiver, certificates.authority, None)
    assert await receiver.spans() == []
    await send(receiver, certificates.authority, certificates)
    assert await receiver.spans() == [span(1)]


@SENDERS
async def test_client_certificate_of_another_authority_is_refused(
    start_receiver: StartReceiver, certificates: Certificates, tmp_path: Path, send: Send
) -> None:
    receiver = await start_receiver(auth=tls(certificates, is_mutual=True))
    with pytest.raises(REFUSALS):
        await send(receiver, certificates.authority, make_certificates(tmp_path))
    assert await receiver.spans() == []


@SENDERS
async def test_replaced_certificates_are_used_without_a_restart(
    start_receiver: StartReceiver, tmp_path: Path, send: Send
) -> None:
    used = make_certificates(tmp_path)
    receiver = await start_receiver(auth=tls(used, is_mutual=False))
    await send(receiver, used.authority, None)
    renewed = make_certificates(make_directory(tmp_path / "renewed"))

    # Half of the pair: what fits stays in use.
    renewed.server_certificate.replace(used.server_certificate)
    await send(receiver, used.authority, None)
    renewed.server_key.replace(used.server_key)
    await send(receiver, renewed.authority, None)

    with pytest.raises(REFUSALS):
        await send(receiver, used.authority, None)
    assert len(await receiver.spans()) == 3


async def test_missing_certificate_stops_the_start(start_receiver: StartReceiver, certificates: Certificates) -> None:
    auth = AuthSettings(tls_certificate=Path("/nowhere.pem"), tls_key=certificates.server_key)
    with pytest.raises(ConfigError, match=r"auth\.tls_certificate=/nowhere\.pem cannot be read"):
        await start_receiver(auth=auth)
