"""Samples shared between two processes of `torch.distributed` are measured as one."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("torchmetrics")

from ncbounds.integrations.torchmetrics import NeuralCollapse  # noqa: E402
from ncbounds.measure import measure, measure_model  # noqa: E402

N, D, K = 41, 4, 3


def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(D, D), torch.nn.Tanh(), torch.nn.Linear(D, K))


def samples():
    labels = torch.arange(N) % K
    x = torch.randn(N, D, generator=torch.Generator().manual_seed(1))
    return x + torch.eye(K, D)[labels], labels


def share(rank, folder):
    """What one process does with its part of the samples, of unequal sizes."""
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2
    )
    net, (x, y) = network(), samples()
    rows = slice(0, 13) if rank == 0 else slice(13, N)
    x, y = x[rows], y[rows]
    batches = [(x[:6], y[:6]), (x[6:], y[6:])]
    found = measure_model(net, batches, all_processes=True)
    metric = NeuralCollapse("*", weights=net[2].weight.detach(), bias=net[2].bias.detach())
    with torch.no_grad():
        features = [(net[:2](h), labels) for h, labels in batches]
    for batch in features:
        metric.update(*batch)
    one = metric.compute()["nc1.trace"].item()
    for batch in features:  # goes on after it was synchronised
        metric.update(*batch)
    twice = metric.compute()["nc1.trace"].item()
    metric.reset()
    for _ in range(2):
        for batch in features:
            metric.update(*batch)
        if metric.compute()["nc1.pinv"].isnan():
            metric.next_pass()
    by_metric = {name: value.item() for name, value in metric.compute().items()}
    torch.save((found.metrics, one, twice, by_metric), f"{folder}/{rank}")
    torch.distributed.destroy_process_group()


def test_two_processes_measure_what_one_does(tmp_path):
    net, (x, y) = network(), samples()
    with torch.no_grad():
        expected = measure(net[:2](x), y, net[2].weight, net[2].bias).metrics
    torch.multiprocessing.start_processes(share, (str(tmp_path),), nprocs=2, start_method="fork")
    for rank in range(2):
        found, one, twice, by_metric = torch.load(tmp_path / str(rank))
        assert found == pytest.approx(expected, rel=1e-5, abs=1e-7)
        assert by_metric == pytest.approx(expected, rel=1e-5, abs=1e-7)
        assert one == pytest.approx(twice) == pytest.approx(expected["nc1.trace"], rel=1e-5)
