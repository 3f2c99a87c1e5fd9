"""Contracts of nets: the fields and methods that a task needs of its nets, ours and those named "package.module:name".

A net is a Flax Linen module class. Its sub-config (`generator`, `critic`, ...) has the class' name as `net` and its
fields as further keys, except those that the task sets. A field without a choice may be a class variable. Fields whose
values are names list them in `CHOICES: ClassVar = {field: names}`.

A contract is a class with annotated attributes and methods; a net that fulfils it need not inherit from it. Parameters
before `*` are passed by position, those after it by name.
"""

import dataclasses
import inspect
import typing

import flax.linen as nn

from genjax.errors import InputError


class Contract:
    """The attributes and methods that a kind of net must have."""

    @classmethod
    def check(cls, net: type) -> None:
        """Raises: InputError for a net that lacks something, with its name."""
        if not (isinstance(net, type) and issubclass(net, nn.Module)):
            raise InputError(f"expected a class derived from flax.linen.Module, but it is {net!r}")
        page = f"as genjax.nets.contracts.{cls.__name__} describes it"
        fields = {field.name for field in dataclasses.fields(net)}
        for name in typing.get_type_hints(cls):
            if name not in fields and not hasattr(net, name):
                raise InputError(f"the net lacks {name!r}: add a field or a class variable {name}, {page}")
        for name, method in inspect.getmembers(cls, inspect.isfunction):
            call = inspect.signature(method)
            if not (hasattr(net, name) and _accepts(inspect.signature(getattr(net, name)), call)):
                raise InputError(f"the net lacks a method that can be called as {name}{call}: add it, {page}")


def _accepts(signature: inspect.Signature, call: inspect.Signature) -> bool:
    """Whether a function can be called with the arguments of another signature."""
    by_name = [p.name for p in call.parameters.values() if p.kind is inspect.Parameter.KEYWORD_ONLY]
    try:
        signature.bind(*[None] * (len(call.parameters) - len(by_name)), **dict.fromkeys(by_name))
    except TypeError:
        return False
    return True


class Generator(Contract):
    """A generator of the task "gan".

    Fields:
        shape: the shape of one example; the task sets it.
        output: the range of its examples: "tanh" [-1, 1], "sigmoid" [0, 1], or "linear" for points.
        conditioning: "concat" if a class is concatenated with the latents; another name needs `classes` in the config.
    """

    shape: tuple[int, ...]
    output: str
    conditioning: str

    def __call__(self, z, *, train, class_onehot):
        """Shapes: z [B, latent], class_onehot [B, classes] or None -> [B, *shape]."""


class Critic(Contract):
    """A critic (discriminator) of the task "gan".

    For feature matching it sows its features [B, F] as "features", and for an auxiliary classifier class logits
    [B, classes] as "classes", both in the collection "critic_aux" (`genjax.nets.critic.critic_head` does). In training
    its random numbers are of the stream "dropout".

    Fields:
        minibatch: its statistic over the batch: "" for none, a name of `genjax.nets.minibatch.MINIBATCH`, or another;
            of groups of `minibatch_group` examples, if it has that field, or else of 4.
        batch_norm: True if it normalizes over the batch, which gradient penalties do not allow.
        conditioning: "concat" if a class is concatenated with the examples; another name needs `classes` in the config.
    """

    minibatch: str
    batch_norm: bool
    conditioning: str

    def __call__(self, x, *, train, class_onehot):
        """Shapes: x [B, *shape], class_onehot [B, classes] or None -> logits [B], or of parts of examples [B, ...]."""


class GrowingGenerator(Contract):
    """A generator of the task "progressive": stage s doubles the sides s times (`genjax.nets.doubling`).

    Where `has_styles`, it fulfils `Styled` too, and `partially_grown` takes (ws, level, noise).
    `class_onehot` is [B, classes], or None without classes.

    Fields:
        shape: the shape of one image of the last stage; the task sets it.
        remat: True to keep less for the backward pass; the task sets it.
        channels: channels of each stage.
        output: "tanh" or "sigmoid": the range of pixels.
        has_styles: True if latents become images by way of styles w.
    """

    shape: tuple[int, ...]
    remat: bool
    channels: tuple[int, ...]
    output: str
    has_styles: bool

    @classmethod
    def check(cls, net: type) -> None:
        """Raises: InputError for a net that lacks something, with its name."""
        super().check(net)
        if net.has_styles:
            Styled.check(net)

    def __call__(self, z, *, train, class_onehot, stage, alpha):
        """The image of a stage, blended with the stage before unless `alpha` is None."""

    def partially_grown(self, z, level):
        """The full-sized image at a (traced) level s + alpha: stage s + 1, blended in by alpha.

        With classes, z has the class' one-hot at its end: [B, latent + classes].
        """


class GrowingCritic(Contract):
    """A critic of the task "progressive". Fields as those of `GrowingGenerator` and `Critic`.

    For an auxiliary classifier it sows class logits, as `Critic` describes it.
    """

    remat: bool
    channels: tuple[int, ...]
    minibatch: str

    def __call__(self, x, *, train, class_onehot, stage, alpha):
        """Shapes: x [B, H, W, C] of the stage, class_onehot [B, classes] or None -> logits [B]."""


class MultiScaleGenerator(Contract):
    """A generator of the task "msggan". Fields as those of `GrowingGenerator`."""

    shape: tuple[int, ...]
    remat: bool
    channels: tuple[int, ...]
    output: str

    def __call__(self, z):
        """Shapes: z [B, latent] -> [B, *shape]."""

    def scales(self, z, *, train, class_onehot):
        """A tuple of the images of all stages, the smallest first."""


class MultiScaleCritic(Contract):
    """A critic of the task "msggan". Fields as those of `GrowingCritic`."""

    remat: bool
    channels: tuple[int, ...]
    minibatch: str

    def __call__(self, x, *, train, class_onehot):
        """Shapes: x a tuple of the images [B, H, W, C] of all stages, the smallest first -> logits [B]."""


class Styled(Contract):
    """A generator whose latents become images by way of styles, one w per layer."""

    output: str

    def map(self, z, *, class_onehot):
        """Shapes: z [B, latent], class_onehot [B, classes] or None -> w [B, width]."""

    def styles(self, w):
        """One w for all layers. Shapes: [B, width] -> [B, layers, width]."""

    def truncate(self, ws, psi):
        """Styles moved towards the average w, unchanged at psi = 1. Shapes: [B, layers, width] -> the same."""


class StyleGenerator(Styled):
    """A generator of the task "stylegan2". Fields as those of `GrowingGenerator`."""

    shape: tuple[int, ...]
    remat: bool
    channels: tuple[int, ...]

    def __call__(self, z, *, train, class_onehot):
        """Shapes: z [B, latent], class_onehot [B, classes] or None -> [B, *shape].

        In training random numbers are of the stream "noise".
        """

    def styles_in_training(self, z, key, *, class_onehot):
        """Styles as a call in training makes them. Shapes: z [B, latent] -> [B, layers, width]."""

    def synthesize(self, ws, noise):
        """The image of styles; `noise` is a key, or one per image [B], None (constant) or False (none)."""


class StyleCritic(Contract):
    """A critic of the task "stylegan2". Fields as those of `GrowingCritic`."""

    remat: bool
    channels: tuple[int, ...]
    minibatch: str

    def __call__(self, x, *, train, class_onehot):
        """Shapes: x [B, H, W, C], class_onehot [B, classes] or None -> logits [B]."""


class Translator(Contract):
    """A generator of the task "translation". Its random numbers are of the stream "dropout", in use as well.

    Fields:
        colors: channels of its images; the task sets it.
        output: the range of its images: "tanh" [-1, 1] or "sigmoid" [0, 1].
        multiple: the number of which an image's sides are multiples.
    """

    colors: int
    output: str
    multiple: int

    def __call__(self, x, *, train):
        """Shapes: inputs [B, H, W, C] -> images [B, H, W, colors]."""


class PatchCritic(Contract):
    """A critic of the task "translation". Fields as those of `Critic`.

    In training its random numbers are of the stream "dropout".
    """

    minibatch: str
    batch_norm: bool

    def check_size(self, height, width):
        """Raises: InputError for images of a size that it cannot take."""

    def __call__(self, x, *, train):
        """Shapes: inputs and images as channels [B, H, W, C] -> logits of patches [B, h, w], or of images [B]."""


class Autoencoder(Contract):
    """An autoencoder of the task "autoencoder". In training its random numbers are of the stream "dropout".

    Fields:
        shape: the shape of one example; the task sets it.
        output: a name of `genjax.nets.layers.ACTIVATIONS`, the activation that makes examples of the outputs.
    """

    shape: tuple[int, ...]
    output: str

    def __call__(self, x):
        """Shapes: x [B, *shape] -> outputs [B, *shape], before the activation."""

    def encode(self, x, *, train):
        """Shapes: x [B, *shape] -> latents [B, ...]."""

    def decode(self, z, *, train):
        """Shapes: latents [B, ...] -> outputs [B, *shape], before the activation."""


class VariationalAutoencoder(Autoencoder):
    """An autoencoder of the task "vae".

    `encode` gives means and log-variances side by side, [B, 2 * latent]; `decode` takes latents followed by one-hot
    labels, [B, latent + classes].

    Fields:
        heads: the encoder gives heads * latent numbers; the task sets 2.
        latent_activation: activation of the encoder's last layer; the task sets "linear".
        latent: size of a latent, without its label.
        label_input: "concat" if `encode` takes flat examples followed by one-hot labels, [B, numbers + classes];
            "planes" if it takes images with their labels as channels, [B, H, W, C + classes].
    """

    heads: int
    latent_activation: str
    latent: int
    label_input: str


class VectorQuantizedAutoencoder(Autoencoder):
    """An autoencoder of the task "vqvae": latents are maps [B, h, w, latent], outputs are before the activation.

    Fields:
        latent: size of one vector of the map.
    """

    latent: int


class Classifier(Contract):
    """A net of the task "classifier". In training its random numbers are of the stream "dropout".

    Fields:
        classes: number of classes; the task sets it.
    """

    classes: int

    def __call__(self, x, *, train):
        """Shapes: x [B, H, W, C] -> `genjax.nets.convnet.Outputs`: features [B, F] and logits [B, classes]."""


class EncoderClassifier(Classifier):
    """A classifier of the task "pretrained_classifier", on an autoencoder's encoder.

    Its parameters of the encoder are under "encoder", by the names that they have in the autoencoder.

    Fields:
        encoder: the autoencoder; the task sets it.
    """

    encoder: nn.Module


class Sequence(Contract):
    """A net of the task "timegan", of which the task makes five.

    Fields:
        features: numbers per step of its outputs; the task sets it.
        output: a name of `genjax.nets.layers.ACTIVATIONS`, of its outputs; the task sets it.
        width: numbers per step of an embedding.
        layers: number of recurrent layers; the supervisor has one fewer.
    """

    features: int
    output: str
    width: int
    layers: int

    def __call__(self, x):
        """Shapes: x [B, T, F] -> [B, T, features]; the outputs of a step depend on the steps up to it alone."""


class TokenGenerator(Contract):
    """A generator of the task "seqgan": the distribution of a token given those before it.

    Fields:
        vocabulary: the number of tokens; the task sets it.
    """

    vocabulary: int

    def __call__(self, tokens):
        """Logits of each token from those before it. Shapes: tokens int [B, T] -> [B, T, vocabulary]."""

    def begin(self, count):
        """The state before the first token of `count` sequences, any tree of arrays [count, ...]."""

    def advance(self, carry, tokens):
        """The state after a token, and logits of the next. Shapes: tokens int [B] -> carry, [B, vocabulary].

        The token before the first is `genjax.nets.tokens.FIRST`.
        """


class TokenCritic(Contract):
    """A critic of the task "seqgan". The weights of its module "head" are penalized; dropout is of stream "dropout".

    Fields:
        vocabulary: the number of tokens; the task sets it.
    """

    vocabulary: int

    def __call__(self, tokens, *, train):
        """Shapes: tokens int [B, T] -> logits [B], high for reals."""
