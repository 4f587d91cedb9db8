"""Who is answered by which arm."""

import math
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from served import ASK, echo

from rft_widgets.errors import InvalidArgument
from rft_widgets.model.deployment import DeploymentState
from rft_widgets.serving.arms import PolicyArm
from rft_widgets.serving.protocol import RequestFailed, parse_request
from rft_widgets.serving.router import Router

TUNED = PolicyArm("tuned", "tuned-model", echo)
BASE = PolicyArm("base", "base-model", echo)


def request(model="base-model", messages=ASK, **more):
    return parse_request(msgspec.json.encode({"model": model, "messages": messages} | more))


def router(mode, base=BASE, deployment="dep-1", **state):
    return Router(deployment, mode, TUNED, base=base, state=lambda: DeploymentState(**state))


def arms(router, models=("tuned-model", "base-model", "other")):
    """Arm and model by the name asked for; the refusal where there is one."""
    found = []
    for model in models:
        try:
            choice = router.choose(request(model))
        except RequestFailed as failed:
            assert failed.code == "model_not_found"  # noqa: PT017 - one of the outcomes
            found.append("rolled back" if "rolled back" in failed.message else 404)
        else:
            found.append((choice.arm.name, choice.model))
    return found


T, B = ("tuned", "tuned-model"), ("base", "base-model")


@pytest.mark.parametrize(
    ("mode", "base", "state", "expected", "models"),
    [
        ("replace", BASE, {}, [T, T, 404], ["tuned-model", "base-model"]),
        ("replace", None, {}, [T, 404, 404], ["tuned-model"]),
        ("replace", BASE, {"status": "rolled_back"}, [B, B, 404], ["tuned-model", "base-model"]),
        ("replace", None, {"status": "rolled_back"}, [404, 404, 404], []),
        ("new_endpoint", BASE, {}, [T, B, ("base", "other")], ["tuned-model", "base-model"]),
        ("new_endpoint", None, {}, [T, 404, 404], ["tuned-model"]),
        (
            "new_endpoint",
            BASE,
            {"status": "rolled_back"},
            ["rolled back", B, ("base", "other")],
            ["base-model"],
        ),
        ("new_endpoint", None, {"status": "rolled_back"}, ["rolled back", 404, 404], []),
        ("ab_test", BASE, {"tuned_percent": 100}, [T, T, 404], ["tuned-model", "base-model"]),
        ("ab_test", BASE, {"tuned_percent": 0}, [B, B, 404], ["tuned-model", "base-model"]),
        (
            "ab_test",
            BASE,
            {"tuned_percent": 100, "status": "rolled_back"},
            [B, B, 404],
            ["tuned-model", "base-model"],
        ),
    ],
)
def test_modes(mode, base, state, expected, models):
    chosen = router(mode, base, **state)
    assert arms(chosen) == expected
    assert list(chosen.models()) == models


@pytest.mark.parametrize("percent", [1, 10, 50, 90, 99.5])
def test_the_ratio_holds_among_2000_users(percent):
    test = router("ab_test", tuned_percent=percent)
    tuned = sum(test.choose(request(user=f"user-{i}")).arm is TUNED for i in range(2000))
    share = percent / 100
    assert abs(tuned - 2000 * share) <= 4 * math.sqrt(2000 * share * (1 - share))


def test_more_percent_take_no_user_away():
    def tuned_users(percent):
        test = router("ab_test", tuned_percent=percent)
        return {i for i in range(500) if test.choose(request(user=f"user-{i}")).arm is TUNED}

    previous = set()
    for percent in (0, 5, 20, 50, 80, 100):
        assert previous <= tuned_users(percent)
        previous = tuned_users(percent)
    assert len(previous) == 500


def test_two_tests_split_independently():
    first, second = router("ab_test"), router("ab_test", deployment="dep-2")
    both = [
        (first.choose(one).arm is TUNED, second.choose(one).arm is TUNED)
        for one in (request(user=f"user-{i}") for i in range(2000))
    ]
    agree = sum(a == b for a, b in both)
    assert abs(agree - 1000) <= 4 * math.sqrt(2000 / 4)


def test_who_the_user_is():
    test = router("ab_test")

    def assignment(header=None, **body):
        return test.choose(request(**body), header).assignment

    alice = assignment("alice")
    assert assignment(user="alice") == alice
    assert test.choose(request(user="alice"), "bob").assignment == alice
    assert test.choose(request(safety_identifier="carol"), "alice").assignment == alice
    assert assignment(safety_identifier="alice") == alice
    assert assignment(user="bob") != alice
    assert assignment(user="", messages=ASK) == assignment() != alice
    assert assignment(user="alice", model="tuned-model") == alice
    assert test.choose(request(user=3)).assignment == assignment()


@given(st.lists(st.sampled_from(["user", "assistant", "tool"]), max_size=6), st.text())
def test_a_conversation_stays_on_its_arm(later, text):
    test = router("ab_test")
    system = {"role": "system", "content": "Be kind."}
    first = {"role": "user", "content": text}
    begun = test.choose(request(messages=[system, first])).assignment
    grown = [system, first, *({"role": role, "content": "more"} for role in later)]
    assert test.choose(request(messages=grown)).assignment == begun
    reordered = [dict(reversed(list(message.items()))) for message in grown]
    assert test.choose(request(messages=reordered)).assignment == begun
    other = [system, {"role": "user", "content": text + "!"}]
    assert test.choose(request(messages=other)).assignment != begun


@pytest.mark.slow
def test_the_split_is_the_same_in_every_process():
    # A value from another run: a change of the hash would move users in the middle of a test.
    here = router("ab_test").choose(request(user="alice")).assignment
    assert here == "4dbc43693d2a90be"
    code = (
        "from test_serving_router import router, request;"
        "print(router('ab_test').choose(request(user='alice')).assignment)"
    )
    folder = Path(__file__).parent
    for seed in ("1", "2"):
        env = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": f"{folder}:{Path.cwd()}"}
        run = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
        assert run.stdout.strip() == here, run.stderr


def test_what_does_not_go_together():
    with pytest.raises(InvalidArgument, match="two arms"):
        Router("d", "ab_test", TUNED)
    with pytest.raises(InvalidArgument, match="mode 'canary'"):
        Router("d", "canary", TUNED)
    with pytest.raises(InvalidArgument, match="called 'tuned'"):
        Router("d", "replace", TUNED, base=PolicyArm("tuned", "m", echo))
    with pytest.raises(InvalidArgument, match="already"):
        Router("d", "new_endpoint", TUNED, base=PolicyArm("base", "tuned-model", echo))
    with pytest.raises(InvalidArgument, match="deployment id"):
        Router("d\r\nX: y", "replace", TUNED)
    with pytest.raises(InvalidArgument, match="model name"):
        PolicyArm("tuned", "a model", echo)
    for percent in (-1, 100.5, math.nan):
        with pytest.raises(ValueError, match="tuned_percent"):
            DeploymentState(tuned_percent=percent)


# Over the wire ----------------------------------------------------------------------------------


def test_every_mode_over_the_wire(serve, tuned, base, upstream):
    for mode in ("replace", "new_endpoint", "ab_test"):
        state = {"now": DeploymentState(tuned_percent=100)}
        served = serve(Router("dep-1", mode, tuned, base=base, state=lambda s=state: s["now"]))
        assert served.arm() == "tuned"
        assert served.arm(model="base-model") == ("base" if mode == "new_endpoint" else "tuned")
        if mode == "new_endpoint":
            assert served.arm(model="gpt-other") == "base"
            assert upstream.seen[-1][2]["model"] == "gpt-other"
        else:
            with pytest.raises(openai.NotFoundError):
                served.ask(model="gpt-other")
        state["now"] = DeploymentState(status="rolled_back")
        if mode == "new_endpoint":
            with pytest.raises(openai.NotFoundError, match="rolled back"):
                served.ask()
            assert "tuned-model" not in [m.id for m in served.client.models.list()]
        else:
            assert served.arm() == "base"
            assert upstream.seen[-1][2]["model"] == "up"
        assert served.arm(model="base-model") == "base"


def test_users_stick_over_the_wire(serve, tuned, base):
    served = serve(Router("dep-1", "ab_test", tuned, base=base))
    for user in ("alice", "bob", "carol", "dave", "erin", "frank"):
        seen = {served.arm(f"question {i}", user=user) for i in range(3)}
        seen |= {served.arm(extra_headers={"X-User-Id": user}) for _ in range(2)}
        assert len(seen) == 1
    arms = {served.arm(user=f"u{i}") for i in range(30)}
    assert arms == {"tuned", "base"}


def test_a_rollback_in_the_middle_of_a_stream(serve, tuned, base, upstream):
    # The roles are swapped, as the arm that streams slowly is the one that is rolled back.
    state = {"now": DeploymentState()}
    slow, quick = base, tuned
    served = serve(Router("d", "replace", slow, base=quick, state=lambda: state["now"]))
    upstream.fault = "gated"
    stream = served.client.chat.completions.create(model="base-model", messages=ASK, stream=True)
    assert stream.response.headers["x-rft-arm"] == "base"
    first = next(stream)
    assert upstream.waits.wait(10)
    state["now"] = DeploymentState(status="rolled_back")
    assert served.arm(model="base-model") == "tuned"
    upstream.go_on.set()
    text = (first.choices[0].delta.content or "") + "".join(
        c.choices[0].delta.content or "" for c in stream
    )
    assert text == "From up\u2028stream."
    by_arm = {e.arm: e.outcome for e in served.recorded(2)}
    assert by_arm == {"base": "completed", "tuned": "completed"}
