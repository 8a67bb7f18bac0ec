"""The head of a network, found by what it does, and the features that it is given."""

import contextlib
from dataclasses import dataclass

import numpy as np
import pytest

from ncbounds.errors import InputError
from ncbounds.measure import Accumulator, measure

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from ncbounds.measure.tap import FeatureTap  # noqa: E402

K, D = 3, 5
torch.manual_seed(0)


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(1)


class Forward(nn.Module):
    """Named layers and a forward method of one's own."""

    def __init__(self, forward, **layers):
        super().__init__()
        for name, layer in layers.items():
            self.add_module(name, layer)
        self._forward = forward

    def forward(self, x):
        return self._forward(self, x)


def body():
    return nn.Linear(4, D)


@dataclass
class Result:
    logits: torch.Tensor


def rounded(m, x):
    """Probabilities from logits of half precision, as under an autocast within the network."""
    with torch.autocast("cpu", torch.bfloat16):
        z = m.head(m.body(x).relu())
    return z.float().softmax(-1)


#: name: (network, input shape of a sample, the name of its head)
NETWORKS = {
    "a chain": (nn.Sequential(body(), nn.ReLU(), nn.Linear(D, K)), (4,), "2"),
    "a chain in chains": (
        nn.Sequential(nn.Sequential(body(), nn.ReLU()), nn.Sequential(nn.Linear(D, K))),
        (4,),
        "1.0",
    ),
    "registered first, run last": (
        Forward(lambda m, x: m.head(m.body(x).relu()), head=nn.Linear(D, K), body=body()),
        (4,),
        "head",
    ),
    "a layer beside that is not returned": (
        Forward(
            lambda m, x: (m.head(h := m.body(x).relu()), m.other(h))[0],
            body=body(), head=nn.Linear(D, K), other=nn.Linear(D, K),
        ),
        (4,),
        "head",
    ),
    "an object, and a layer beside that runs last": (
        Forward(
            lambda m, x: (Result(m.head(h := m.body(x).relu())), m.other(h))[0],
            body=body(), head=nn.Linear(D, K), other=nn.Linear(D, K),
        ),
        (4,),
        "head",
    ),
    "log-probabilities": (
        nn.Sequential(body(), nn.ReLU(), nn.Linear(D, K), nn.LogSoftmax(-1)), (4,), "2",
    ),
    "probabilities": (
        nn.Sequential(body(), nn.ReLU(), nn.Linear(D, K), nn.Softmax(-1)), (4,), "2",
    ),
    "a mapping": (
        Forward(
            lambda m, x: {"logits": m.head(h := m.body(x).relu()), "features": h},
            body=body(), head=nn.Linear(D, K, bias=False),
        ),
        (4,),
        "head",
    ),
    "a convolution and a mean over positions": (
        nn.Sequential(
            nn.Conv2d(2, D, 3), nn.ReLU(), nn.Conv2d(D, K, 1), nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        ),
        (2, 6, 6),
        "2",
    ),
    "a mean over positions and a convolution": (
        nn.Sequential(
            nn.Conv1d(2, D, 3), nn.AdaptiveAvgPool1d(1), nn.Conv1d(D, K, 1), nn.Flatten()
        ),
        (2, 6),
        "2",
    ),
}  # fmt: skip


def tapped(network, inputs, labels, **options):
    with FeatureTap(network, **options) as tap, torch.no_grad():
        output = network(inputs)
        h, y = tap.samples(labels)
    return tap, h, y, output


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("wrapped", ["", "parallel", "compiled"])
def test_features_weights_and_bias_give_the_logits_that_the_network_returns(name, wrapped):
    network, shape, head = NETWORKS[name]
    whole = {"": network, "parallel": nn.DataParallel(network), "compiled": torch.compile(network)}
    x = torch.randn(7, *shape, generator=torch.Generator().manual_seed(0))
    tap, h, y, output = tapped(whole[wrapped], x, np.arange(7) % K)
    assert tap.head == head and h.shape == (7, D) and y.tolist() == [0, 1, 2, 0, 1, 2, 0]
    logits = h @ tap.weights.T + (0 if tap.bias is None else tap.bias)
    returned = output["logits"] if isinstance(output, dict) else output
    returned = returned.logits if isinstance(output, Result) else returned
    torch.testing.assert_close(logits.log_softmax(-1), (
        returned.log() if name == "probabilities" else returned.log_softmax(-1)
    ))  # fmt: skip


def test_probabilities_of_rounded_logits_tell_the_head():
    network = Forward(rounded, body=body(), head=nn.Linear(D, K))
    tap, h, _, output = tapped(network, torch.randn(7, 4), np.arange(7) % K)
    assert tap.head == "head" and (h.dtype, output.dtype) == (torch.bfloat16, torch.float32)


def test_every_position_with_a_label_is_a_sample():
    words = nn.Sequential(nn.Embedding(10, D), nn.Linear(D, K))
    tokens, labels = torch.arange(8).reshape(2, 4), torch.tensor([[0, 1, 2, -100], [0, 0, 1, -100]])
    _, h, y, _ = tapped(words, tokens, labels, ignore=-100)
    assert y.tolist() == [0, 1, 2, 0, 0, 1]
    torch.testing.assert_close(h, words[0].weight[[0, 1, 2, 4, 5, 6]].detach())
    pixels = nn.Conv2d(D, K, 1)
    image, labels = torch.randn(2, D, 3, 4), torch.arange(24).reshape(2, 3, 4) % K
    _, h, y, _ = tapped(pixels, image, labels)
    torch.testing.assert_close(h[13], image[1, :, 0, 1])
    assert y[13] == labels[1, 0, 1]


def test_a_head_of_another_kind_can_be_named():
    class Cosine(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(K, D))

        def forward(self, x):
            return nn.functional.normalize(x) @ nn.functional.normalize(self.weight).T

    network = nn.Sequential(body(), Cosine())
    tap, h, _, _ = tapped(network, x := torch.randn(2, 4), [0, 1], head="1")
    torch.testing.assert_close(h, network[0](x).detach())
    assert tap.weights.shape == (K, D) and tap.bias is None


def test_a_tap_on_training_steps_takes_what_the_head_was_given_and_no_gradient():
    network = nn.Sequential(body(), nn.ReLU(), nn.Linear(D, K))
    x, y = torch.randn(9, 4), torch.arange(9) % K
    with FeatureTap(network) as tap:
        for _ in range(2):
            for rows in (slice(0, 4), slice(4, 9)):
                loss = nn.functional.cross_entropy(network(x[rows]), y[rows])
                loss.backward()
                tap.update(y[rows])
            if tap.accumulator.passes == 1:
                tap.next_pass()
    with torch.no_grad():
        expected = measure(network[:2](x), y, network[2].weight, network[2].bias)
    found = tap.compute()
    assert found.metrics == pytest.approx(expected.metrics, rel=1e-5, abs=1e-7)
    assert network[0].weight.grad is not None
    network(x)  # the hooks are gone
    with pytest.raises(InputError, match="ran 0 times"):
        tap.update(y)


def test_a_named_head_is_tapped_without_a_look_at_any_value():
    network = nn.Sequential(body(), nn.ReLU(), nn.Linear(D, K)).to("meta")
    with FeatureTap(network, head="2") as tap:
        for _ in range(2):  # a meta tensor has no values: asking for one would fail
            network(torch.empty(6, 4, device="meta"))
            tap._accumulator = tap._accumulator or Accumulator(K)
            tap.update(torch.empty(6, dtype=torch.int64, device="meta"))


TWO = Forward(
    lambda m, x: (m.one(x), m.two(x)), one=nn.Linear(4, K), two=nn.Linear(4, 2)
)  # fmt: skip
SUM = Forward(lambda m, x: m.one(x) + m.two(x), one=nn.Linear(4, K), two=nn.Linear(4, K))
TWICE = Forward(lambda m, x: m.head(x) + m.head(-x), head=nn.Linear(4, K))


@pytest.mark.parametrize(
    ("network", "options", "labels", "message"),
    [
        ("net", {}, [0, 1], "module = str"),
        (nn.ReLU(), {}, [0, 1], "head=NAME"),
        (TWO, {}, [0, 1], "returns the outputs of one, two"),
        (SUM, {}, [0, 1], "returns no layer's output"),
        (TWICE, {"head": "head"}, [0, 1], "module.head = ran 2 times"),
        (TWO, {"head": "three"}, [0, 1], "head = 'three'.*'one', 'two'"),
        (nn.Sequential(nn.ReLU(), body()), {"head": "0"}, [0, 1], "weights \\(K, d\\)"),
        (nn.Sequential(body(), nn.LayerNorm(D)), {"head": "1"}, [0, 1], "weights \\(K, d\\)"),
        (Forward(lambda m, x: m.one(x).argmax(1), one=body()), {}, [0, 1], "no layer's output"),
        (Forward(lambda m, x: m.one((x > 0).long()), one=nn.Embedding(2, 3)), {"head": "one"},
         [0, 1], "given torch.int64"),
        (torch.jit.script(body()), {}, [0, 1], "lets nobody look inside"),
        (body(), {}, [0, 1, 2], "labels = shape \\(3,\\): must be \\(2,\\), as"),
        (body(), {}, [[0, 1], [1, 0]], "one-hot rows are labels.argmax"),
        (body(), {}, ["cat", "dog"], "a tensor of integers"),
    ],
)  # fmt: skip
def test_what_is_no_head_is_refused_by_name(network, options, labels, message):
    with pytest.raises(InputError, match=message):
        tapped(network, torch.randn(2, 4), labels, **options)


def test_a_network_that_did_not_run_is_told_so():
    with FeatureTap(body()) as tap, pytest.raises(InputError, match="no linear layer ran"):
        tap.update([0])


def test_hooks_are_removed_after_an_error():
    network = nn.Sequential(body(), nn.Linear(D, K))
    with contextlib.suppress(ZeroDivisionError), FeatureTap(network):
        raise ZeroDivisionError
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in network.modules())
