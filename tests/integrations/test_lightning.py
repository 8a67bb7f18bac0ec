"""The Lightning callback on real trainings: what it logs, and that it disturbs nothing."""

import warnings

import pytest

from ncbounds.errors import InputError
from ncbounds.measure import METRICS, measure_model

torch = pytest.importorskip("torch")
lightning = pytest.importorskip("lightning.pytorch")

from torch.utils.data import DataLoader, TensorDataset  # noqa: E402

from ncbounds.integrations.lightning import MeasureCollapse  # noqa: E402


class Classifier(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Sequential(
            torch.nn.Linear(4, 8),
            torch.nn.BatchNorm1d(8),
            torch.nn.ReLU(),
            torch.nn.Dropout(0.2),
            torch.nn.Linear(8, 3),
        )

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, _):
        return torch.nn.functional.cross_entropy(self(batch[0]), batch[1])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


def loader():
    labels = torch.arange(48) % 3
    x = torch.randn(48, 4, generator=torch.Generator().manual_seed(1)) + torch.eye(3, 4)[labels]
    return DataLoader(TensorDataset(x, labels), batch_size=16, shuffle=True)


def fit(*callbacks, epochs=4, **options):
    torch.manual_seed(0)
    model = Classifier()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = lightning.Trainer(
            max_epochs=epochs,
            accelerator="cpu",
            callbacks=list(callbacks),
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            **options,
        )
        trainer.fit(model, loader())
    return model, trainer


def test_epochs_are_measured_and_logged_and_training_goes_on_as_without():
    callback = MeasureCollapse(epochs=3)
    model, trainer = fit(callback)
    plain, _ = fit()
    for name, value in model.state_dict().items():
        assert torch.equal(value, plain.state_dict()[name]), name
    assert [entry.epoch for entry in callback.history] == [2, 3]
    found = measure_model(model, loader()).metrics
    assert callback.history[-1].measurement.metrics == pytest.approx(found, rel=1e-5, abs=1e-7)
    logged = {name: value.item() for name, value in trainer.callback_metrics.items()}
    assert logged["nc/nc1.pinv"] == pytest.approx(found["nc1.pinv"], rel=1e-5)
    assert set(logged) == {f"nc/{name}" for name in callback.metrics}


def test_two_processes_log_the_metrics_of_the_samples_of_both():
    model, trainer = fit(MeasureCollapse(), epochs=1, strategy="ddp_fork", devices=2)
    found = measure_model(model, loader()).metrics
    for name in ("nc1.pinv", "nc3.etf", "loss.cross_entropy"):
        assert trainer.callback_metrics[f"nc/{name}"].item() == pytest.approx(found[name], rel=1e-4)


def test_another_loader_part_and_choice():
    x, y = loader().dataset.tensors
    callback = MeasureCollapse(
        [(x[:9], y[:9])], epochs=[1], metrics=["nc1.*"], prefix="test_", network="net", head="4"
    )
    model, trainer = fit(callback, epochs=2)
    expected = measure_model(model.net, [(x[:9], y[:9])]).metrics
    assert callback.history[0].measurement.n == 9
    assert {name: value.item() for name, value in trainer.callback_metrics.items()} == (
        pytest.approx({f"test_{k}": v for k, v in expected.items() if k.startswith("nc1.")})
    )


def test_a_part_that_is_not_there_is_told_before_training():
    with pytest.raises(InputError, match=r"network = 'body'.*its parts are"):
        fit(MeasureCollapse(network="body"), epochs=1)


@pytest.mark.parametrize("precision", ["bf16-true", "bf16-mixed"])
def test_the_network_is_measured_in_the_precision_of_the_trainer(precision):
    callback = MeasureCollapse(epochs=2)
    fit(callback, epochs=2, precision=precision)
    assert callback.history[0].measurement.metrics["nc1.trace"] > 0


def test_the_history_is_kept_in_checkpoints():
    callback = MeasureCollapse(epochs=2)
    fit(callback, epochs=2)
    other = MeasureCollapse()
    other.load_state_dict(callback.state_dict())
    assert other.history == callback.history


@pytest.mark.parametrize(
    ("options", "parameter"),
    [
        ({"epochs": 0}, "epochs"),
        ({"epochs": []}, "epochs"),
        ({"epochs": [-1]}, "epochs"),
        ({"epochs": 1.5}, "epochs"),
        ({"epochs": True}, "epochs"),
        ({"metrics": ["nc9.*"]}, "metrics"),
    ],
)
def test_bad_settings_are_named(options, parameter):
    with pytest.raises(InputError) as error:
        MeasureCollapse(**options)
    assert error.value.parameter == parameter


def test_patterns_choose_metrics():
    assert MeasureCollapse(metrics="*").metrics == tuple(METRICS)
