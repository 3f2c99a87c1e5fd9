"""Contracts of nets: all of ours fulfil theirs, and a net that does not is refused by what it lacks."""

from typing import ClassVar

import flax.linen as nn
import pytest

from genjax.errors import InputError
from genjax.nets import contracts
from genjax.tasks import (
    autoencoder,
    classifier,
    gan,
    msggan,
    pretrained_classifier,
    progressive,
    seqgan,
    stylegan2,
    translation,
    vae,
    vqvae,
)

OURS = [
    *((contracts.Generator, net) for net in gan.GENERATORS.values()),
    *((contracts.Critic, net) for net in gan.CRITICS.values()),
    *((contracts.GrowingGenerator, net) for net in progressive.GENERATORS.values()),
    *((contracts.GrowingCritic, net) for net in progressive.CRITICS.values()),
    *((contracts.MultiScaleGenerator, net) for net in msggan.GENERATORS.values()),
    *((contracts.MultiScaleCritic, net) for net in msggan.CRITICS.values()),
    *((contracts.StyleGenerator, net) for net in stylegan2.GENERATORS.values()),
    *((contracts.StyleCritic, net) for net in stylegan2.CRITICS.values()),
    *((contracts.TokenGenerator, net) for net in seqgan.GENERATORS.values()),
    *((contracts.TokenCritic, net) for net in seqgan.CRITICS.values()),
    *((contracts.Translator, net) for net in translation.GENERATORS.values()),
    *((contracts.PatchCritic, net) for net in translation.CRITICS.values()),
    *((contracts.Autoencoder, net) for net in autoencoder.NETS.values()),
    *((contracts.Autoencoder, net) for net in pretrained_classifier.ENCODERS.values()),
    *((contracts.VariationalAutoencoder, net) for net in vae.NETS.values()),
    *((contracts.VectorQuantizedAutoencoder, net) for net in vqvae.NETS.values()),
    *((contracts.EncoderClassifier, net) for net in pretrained_classifier.HEADS.values()),
    *((contracts.Classifier, net) for net in classifier.CLASSIFIERS.values()),
]


@pytest.mark.parametrize(("contract", "net"), OURS)
def test_our_nets_fulfil_their_contracts(contract, net):
    contract.check(net)


class Complete(nn.Module):
    """A critic with all that its contract asks for and nothing else."""

    minibatch: ClassVar[str] = ""
    batch_norm: ClassVar[bool] = False
    conditioning: ClassVar[str] = "concat"

    def __call__(self, x, train=False, class_onehot=None):
        """The mean of each example."""
        return x.reshape(len(x), -1).mean(1)


class AnyKeywords(Complete):
    """A critic that takes whatever comes by name."""

    def __call__(self, x, **options):
        """Nothing."""


class WithoutClass(Complete):
    """A critic that takes no class."""

    def __call__(self, x, train=False):
        """Nothing."""


class WithoutField(nn.Module):
    """A critic without class variables."""

    def __call__(self, x, train=False, class_onehot=None):
        """Nothing."""


def test_class_variables_and_open_signatures_fulfil_a_contract():
    contracts.Critic.check(Complete)
    contracts.Critic.check(AnyKeywords)


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (WithoutClass, r"__call__\(self, x, \*, train, class_onehot\)"),
        (WithoutField, "lacks 'minibatch': add a field or a class variable minibatch"),
        (object, "expected a class derived from flax.linen.Module"),
        (Complete(), "expected a class derived from flax.linen.Module"),
    ],
)
def test_a_net_that_breaks_its_contract_is_refused(net, message):
    with pytest.raises(InputError, match=message):
        contracts.Critic.check(net)


def test_a_growing_generator_with_styles_needs_their_methods():
    class Unstyled(progressive.GENERATORS["progan"]):
        has_styles: ClassVar[bool] = True

    with pytest.raises(InputError, match=r"map\(self, z, \*, class_onehot\)"):
        contracts.GrowingGenerator.check(Unstyled)
