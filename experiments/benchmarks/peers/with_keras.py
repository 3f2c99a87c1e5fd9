"""Keras 3 on TensorFlow: a custom loop in one tf.function per step, and the textbook's loop of `train_on_batch`."""

import keras
import tensorflow as tf

from experiments.benchmarks.layers import Net, Workload
from experiments.benchmarks.peers import Runner

bce = keras.losses.BinaryCrossentropy(from_logits=True)


def model(net: Net) -> keras.Sequential:
    """A net of a workload."""
    K, parts = keras.layers, [keras.Input(net.shape)]
    for layer in net.layers:
        options = {"strides": layer.stride, "padding": layer.padding.lower()}
        match layer.kind:
            case "dense":
                parts.append(K.Dense(layer.features))
            case "conv":
                parts.append(K.Conv2D(layer.features, layer.kernel, **options))
            case "transposed":
                parts.append(K.Conv2DTranspose(layer.features, layer.kernel, **options))
            case "pool":
                parts.append(K.MaxPool2D())
            case "batch_norm":
                parts.append(K.BatchNormalization())
            case "dropout" if layer.rate:
                parts.append(K.Dropout(layer.rate))
            case "reshape":
                parts.append(K.Reshape(layer.to))
            case "flatten":
                parts.append(K.Flatten())
        if layer.activation != "linear":
            parts.append(K.LeakyReLU(0.2) if layer.activation == "leaky_relu" else K.Activation(layer.activation))
    return keras.Sequential(parts)


def build(workload: Workload, variant: str, images) -> Runner:
    """The step in one of its variants."""
    keras.utils.set_random_seed(0)
    nets = {name: model(net) for name, net in workload.nets.items()}
    count = {name: sum(int(tf.size(v)) for v in net.trainable_variables) for name, net in nets.items()}
    if variant == "train_on_batch":
        return Runner(count, _book(workload, nets, images()))
    data = tf.constant(images())

    def batch():
        return tf.gather(data, tf.random.uniform([workload.batch], 0, len(data), tf.int32))

    step = (_gan if workload.kind == "gan" else _reconstruct)(workload, nets, batch)
    step = tf.function(step, jit_compile=variant.endswith("jit_compile"))

    def run(n):
        for _ in range(n):
            losses = step()
        return {name: float(value) for name, value in losses.items()}

    return Runner(count, run)


def optimizer(name, learning_rate, b1=0.9, b2=0.999):
    """An optimizer by name."""
    if name == "adam":
        return keras.optimizers.Adam(learning_rate, b1, b2)
    return {"rmsprop": keras.optimizers.RMSprop, "sgd": keras.optimizers.SGD}[name](learning_rate)


def _descend(opt, tape, loss, variables):
    opt.apply(tape.gradient(loss, variables), variables)


def _gan(workload, nets, batch):
    generator, critic = nets["generator"], nets["critic"]
    opts = {name: optimizer(**workload.optimizer) for name in nets}
    for name, net in nets.items():
        opts[name].build(net.trainable_variables)
    ones = tf.ones([workload.batch, 1])
    labels = tf.concat([ones, tf.zeros_like(ones)], 0)

    def latents():
        return tf.random.normal([workload.batch, workload.latent])

    def penalty(real, fake):
        mix = real + tf.random.uniform([workload.batch, 1, 1, 1]) * (fake - real)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(mix)
            logits = critic(mix, training=True)
        slope = tape.gradient(logits, mix)
        norm = tf.sqrt(tf.reduce_sum(slope**2, [1, 2, 3]) + 1e-12)
        return tf.reduce_mean((norm - 1) ** 2)

    def step():
        for _ in range(workload.critic_steps):
            real, fake = batch(), generator(latents(), training=True)
            with tf.GradientTape() as tape:
                logits = critic(tf.concat([real, fake], 0), training=True)
                if workload.loss == "non_saturating":
                    on_critic = bce(labels, logits)
                else:
                    on_real, on_fake = tf.split(logits, 2)
                    on_critic = tf.reduce_mean(on_fake) - tf.reduce_mean(on_real)
                    on_critic += workload.penalty * penalty(real, fake)
            _descend(opts["critic"], tape, on_critic, critic.trainable_variables)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([v.value for v in generator.trainable_variables])
            logits = critic(generator(latents(), training=True), training=True)
            on_generator = bce(ones, logits) if workload.loss == "non_saturating" else -tf.reduce_mean(logits)
        _descend(opts["generator"], tape, on_generator, generator.trainable_variables)
        return {"critic/loss": on_critic, "generator/loss": on_generator}

    return step


def _reconstruct(workload, nets, batch):
    encoder, decoder = nets["encoder"], nets["decoder"]
    variables = encoder.trainable_variables + decoder.trainable_variables
    opt = optimizer(**workload.optimizer)
    opt.build(variables)

    def step():
        x = batch()
        with tf.GradientTape() as tape:
            code, divergence = encoder(x, training=True), 0.0
            if workload.kind == "vae":
                mean, log_var = tf.split(code, 2, axis=1)
                code = mean + tf.exp(log_var / 2) * tf.random.normal(tf.shape(mean))
                terms = tf.reduce_sum(1 + log_var - mean**2 - tf.exp(log_var), 1)
                divergence = -0.5 * tf.reduce_mean(terms) / x.shape[1]
            logits = decoder(code, training=True)
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(x, logits)) + divergence
        _descend(opt, tape, loss, variables)
        return {"loss": loss}

    return step


def _book(workload, nets, data):
    """Source: the GAN loop of Géron's Hands-On Machine Learning, chapter 17, with logits for the sigmoid."""
    generator, critic = nets["generator"], nets["critic"]
    gan = keras.Sequential([generator, critic])
    critic.compile(loss=bce, optimizer=optimizer(**workload.optimizer))
    gan.compile(loss=bce, optimizer=optimizer(**workload.optimizer))
    dataset = tf.data.Dataset.from_tensor_slices(data).shuffle(1000).repeat()
    dataset = iter(dataset.batch(workload.batch, drop_remainder=True).prefetch(1))
    zeros_ones = tf.constant([[0.0]] * workload.batch + [[1.0]] * workload.batch)
    ones = tf.constant([[1.0]] * workload.batch)

    def run(n):
        for _ in range(n):
            fake = generator(tf.random.normal([workload.batch, workload.latent]))
            critic.trainable = True  # Keras reads this when it traces a model's first batch
            on_critic = critic.train_on_batch(tf.concat([fake, next(dataset)], 0), zeros_ones)
            critic.trainable = False
            on_generator = gan.train_on_batch(tf.random.normal([workload.batch, workload.latent]), ones)
        return {"critic/loss": float(on_critic), "generator/loss": float(on_generator)}

    return run
