"""`wrap_google_genai`: the Live API, over a real connection; each turn is a row."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import spanloop
from google import genai
from google.genai import errors, live, types
from spanloop.testing import Capture
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

MODEL = "gemini-live-1"
USAGE = {
    "promptTokenCount": 20,
    "responseTokenCount": 7,
    "thoughtsTokenCount": 5,
    "totalTokenCount": 32,
    "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": 6}],
}
Script = list[list[dict[str, Any]]]


def said(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"serverContent": {"modelTurn": {"parts": list(parts)}, **more}}


def sound(data: bytes) -> dict[str, Any]:
    return {"inlineData": {"mimeType": "audio/pcm", "data": base64.b64encode(data).decode()}}


DONE = {"serverContent": {"turnComplete": True}, "usageMetadata": USAGE}


@pytest.fixture
async def session(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[[Script], Any]]:
    """Opens sessions with a server that answers each complete message of ours with the next list of its own."""
    script: Script = []

    async def converse(connection: ServerConnection) -> None:
        setup = json.loads(await connection.recv())["setup"]
        assert setup["model"] == f"models/{MODEL}"
        await connection.send(json.dumps({"setupComplete": {}}))
        async for text in connection:
            message = json.loads(text)
            if "realtime_input" in message and "text" not in message["realtime_input"]:
                continue
            for answer in script.pop(0):
                await connection.send(json.dumps(answer))
            if not script:
                return

    async with serve(converse, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        # The client insists on TLS.
        monkeypatch.setattr(live, "ws_connect", lambda uri, **more: connect(f"ws://127.0.0.1:{port}"))
        client = spanloop.wrap_google_genai(genai.Client(api_key="k"))

        def open_session(answers: Script, **config: Any) -> Any:
            script.extend(answers)
            return client.aio.live.connect(model=MODEL, config=types.LiveConnectConfig(**config))

        yield open_session
        await client.aio.aclose()
        client.close()


async def ask(open_live: Any, text: str) -> None:
    await open_live.send_client_content(turns=types.Content(role="user", parts=[types.Part(text=text)]))


async def answers(open_live: Any) -> str:
    return "".join([message.text or "" async for message in open_live.receive()])


async def test_each_turn_is_a_span(session: Any, captured_spans: Capture) -> None:
    first = [said({"text": "Par"}), said({"text": "is."}), DONE]
    async with session([first, [said({"text": "Bye."}), DONE]], temperature=0.5, top_k=3) as talk:
        with spanloop.start_span("greeting"):
            await ask(talk, "Capital of France?")
            assert await answers(talk) == "Paris."
        await ask(talk, "Bye")
        assert await answers(talk) == "Bye."
    turn = {
        "name": f"generate_content {MODEL}",
        "type": "llm",
        "input": [{"role": "user", "parts": [{"text": "Capital of France?"}]}],
        "output": [{"content": {"role": "model", "parts": [{"text": "Paris."}]}}],
    }
    later = {
        **turn,
        "input": [{"role": "user", "parts": [{"text": "Bye"}]}],
        "output": [{"content": {"role": "model", "parts": [{"text": "Bye."}]}}],
    }
    assert captured_spans.tree() == [{"name": "greeting", "children": [turn]}, later]
    span = captured_spans.spans[0]
    assert {name: value for name, value in span.attributes.items() if name.startswith("gen_ai.")} == {
        "gen_ai.operation.name": "generate_content",
        "gen_ai.provider.name": "gcp.gemini",
        "gen_ai.request.model": MODEL,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_k": 3,
        "gen_ai.response.time_to_first_chunk": 1.0,
        "gen_ai.usage.input_tokens": 20,
        "gen_ai.usage.output_tokens": 12,
        "gen_ai.usage.reasoning.output_tokens": 5,
        "gen_ai.usage.audio.output_tokens": 6,
    }


async def test_sound_is_one_attachment_each_way_and_its_words_are_kept(session: Any, captured_spans: Capture) -> None:
    spoken, heard = [bytes([n]) * 1501 for n in (250, 255)], [bytes([n]) * 1501 for n in (3, 254)]
    script = [
        {"serverContent": {"inputTranscription": {"text": "Hello?"}}},
        *(said(sound(data)) for data in heard),
        {"serverContent": {"outputTranscription": {"text": "Hello."}}},
        DONE,
    ]
    async with session([script], response_modalities=["AUDIO"]) as talk:
        await talk.send_realtime_input(audio=types.Blob(data=spoken[0], mime_type="audio/pcm"))
        await talk.send_realtime_input(media=types.Blob(data=spoken[1], mime_type="audio/pcm"))
        await talk.send_realtime_input(text="Hello?")
        await answers(talk)
    [span] = captured_spans.spans
    [content] = span.fields["input"]
    assert content["parts"][0]["inlineData"]["data"]["type"] == "spanloop_attachment"
    assert content["parts"][1] == {"text": "Hello?"}
    [candidate] = span.fields["output"]
    assert candidate["outputTranscription"] == "Hello."
    assert span.fields["metadata"]["input_transcription"] == "Hello?"
    assert sorted(captured_spans.attachments.values()) == [b"".join(heard), b"".join(spoken)]


async def test_a_function_is_called_within_its_turn(session: Any, captured_spans: Capture) -> None:
    call = {"id": "c1", "name": "weather", "args": {"city": "Paris"}}
    async with session([[{"toolCall": {"functionCalls": [call]}}], [said({"text": "It rains."}), DONE]]) as talk:
        await ask(talk, "Umbrella?")
        async for message in talk.receive():
            if message.tool_call:
                answer = types.FunctionResponse(id="c1", name="weather", response={"sky": "rain"})
                await talk.send_tool_response(function_responses=[answer])
    [span] = captured_spans.spans
    assert span.fields["input"] == [
        {"role": "user", "parts": [{"text": "Umbrella?"}]},
        {
            "role": "user",
            "parts": [{"functionResponse": {"id": "c1", "name": "weather", "response": {"sky": "rain"}}}],
        },
    ]
    assert span.fields["output"] == [
        {"content": {"role": "model", "parts": [{"functionCall": call}, {"text": "It rains."}]}}
    ]


async def test_a_connection_that_ends_in_mid_turn_keeps_what_arrived(session: Any, captured_spans: Capture) -> None:
    async with session([[said({"text": "Par"})]]) as talk:
        await ask(talk, "Capital of France?")
        with pytest.raises(errors.APIError):
            await answers(talk)
    [span] = captured_spans.spans
    assert span.fields["output"] == [{"content": {"role": "model", "parts": [{"text": "Par"}]}}]
    assert span.fields["error"].startswith("ConnectionClosed")


async def test_a_turn_left_early_keeps_what_arrived(session: Any, captured_spans: Capture) -> None:
    async with session([[said({"text": "Par"}), said({"text": "is."}), DONE], []]) as talk:
        await ask(talk, "Capital of France?")
        async for _ in talk.receive():
            break
    [span] = captured_spans.spans
    assert span.fields["output"] == [{"content": {"role": "model", "parts": [{"text": "Par"}]}}]
    assert "error" not in span.fields
