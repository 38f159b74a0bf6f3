"""How fast ``course_utils.training.fit`` trains, beside plain PyTorch: ``make bench``.

One run trains the usual MLP VAE on MNIST (784-400-20, batch 128, grey BCE + KL) in three ways, one after the other,
again and again, so that a busy machine slows all of them alike:

* *fit*: the course's loop, with its progress bar drawn;
* *bare*: the same steps with nothing around them, not even a look at the loss: fused Adam, shuffling by index;
* *usual*: as tutorials write it: ``DataLoader``, each image from PIL through ``ToTensor``, plain Adam, ``loss.item()``.

Each repeat trains one epoch; a ratio is the median over repeats of the ratio within a repeat. The share of the
machine's matrix-product rate counts the FLOPs of the VAE's matrix products, forward and backward, against a large
product timed in the same run.

    python benchmarks/training_speed.py [--quick] [--strict] [--repeats 7] [--samples 55000]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import sys
import time
from collections.abc import Callable

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import FlopCounterMode

from course_utils import runtime
from course_utils.data import _torchvision, load_images
from course_utils.losses import bernoulli_nll, kl_to_standard_normal
from course_utils.training import fit

BATCH_SIZE = 128
LR = 1e-3
BARS = {"bare": 1.05, "usual": 0.5}


class VAE(nn.Module):
    """The MLP of many a tutorial."""

    def __init__(self, hidden: int = 400, latent_dim: int = 20) -> None:
        super().__init__()
        self.hidden = nn.Linear(784, hidden)
        self.mu = nn.Linear(hidden, latent_dim)
        self.log_var = nn.Linear(hidden, latent_dim)
        self.decoder = nn.Sequential(nn.Linear(latent_dim, hidden), nn.ReLU(), nn.Linear(hidden, 784))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits, mean and log-variance."""
        h = torch.relu(self.hidden(x))
        mu, log_var = self.mu(h), self.log_var(h)
        z = mu + torch.exp(log_var / 2) * torch.randn_like(mu)
        return self.decoder(z), mu, log_var


def negative_elbo(model: nn.Module, x: Tensor) -> Tensor:
    """Grey BCE + KL in nats per image."""
    logits, mu, log_var = model(x)
    return bernoulli_nll(logits, x) + kl_to_standard_normal(mu, log_var)


class Terminal(io.StringIO):
    """A screen for the progress bar, so that drawing it costs what it costs a reader."""

    def isatty(self) -> bool:
        """Yes, so that the bar is redrawn."""
        return True


def train_by_fit(model: VAE, x: Tensor) -> None:
    with contextlib.redirect_stdout(Terminal()):
        fit(model, negative_elbo, x, num_epochs=1, batch_size=BATCH_SIZE, lr=LR, seed=0)


def train_bare(model: VAE, x: Tensor) -> None:
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(int(torch.randint(2**31, ())))
    optimizer = torch.optim.Adam(model.parameters(), lr=LR, fused=True)
    order = torch.randperm(len(x), generator=generator)
    for i in range(0, len(x), BATCH_SIZE):
        loss = negative_elbo(model, x[order[i : i + BATCH_SIZE]])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


class Pictures(Dataset):
    """What torchvision's MNIST does for an item: bytes to PIL to ``ToTensor``."""

    def __init__(self, x: Tensor) -> None:
        _torchvision.load()
        from torchvision.transforms import ToTensor

        self.data = (x.reshape(-1, 28, 28) * 255).round().to(torch.uint8)
        self.transform = ToTensor()

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = Image.fromarray(self.data[index].numpy(), mode="L")
        return self.transform(image), 0


def train_as_usual(model: VAE, pictures: Pictures) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=LR)
    total = 0.0
    for images, _ in DataLoader(pictures, batch_size=BATCH_SIZE, shuffle=True):
        optimizer.zero_grad()
        loss = negative_elbo(model, images.view(-1, 784))
        loss.backward()
        total += loss.item()
        optimizer.step()


def product_rate(size: int, times: int = 3) -> float:
    """FLOPs per second in the product of two square float32 matrices."""
    a, b, out = torch.rand(size, size), torch.rand(size, size), torch.empty(size, size)
    began = time.perf_counter()
    for _ in range(times):
        torch.mm(a, b, out=out)
    return times * 2 * size**3 / (time.perf_counter() - began)


def step_flops() -> int:
    """FLOPs of the matrix products in one step, as torch counts them."""
    model = VAE()
    with FlopCounterMode(display=False) as counter:
        negative_elbo(model, torch.rand(BATCH_SIZE, 784)).backward()
    return counter.get_total_flops()


def timed(train: Callable[[VAE], None]) -> tuple[float, VAE]:
    """Seconds that ``train`` takes on a fresh model, and the model."""
    torch.manual_seed(1)
    model = VAE()
    began = time.perf_counter()
    train(model)
    return time.perf_counter() - began, model


def measure(x: Tensor, repeats: int, product_size: int = 2048) -> tuple[dict[str, list[float]], list[float], bool]:
    """Seconds of each arm and the product's rate in each repeat; whether fit and bare came to the same weights."""
    pictures = Pictures(x)
    arms: dict[str, Callable[[VAE], None]] = {
        "fit": lambda model: train_by_fit(model, x),
        "bare": lambda model: train_bare(model, x),
        "usual": lambda model: train_as_usual(model, pictures),
    }
    for train in arms.values():  # warm-up
        timed(train)
    product_rate(product_size)
    seconds: dict[str, list[float]] = {name: [] for name in arms}
    rates, same = [], True
    names = list(arms)
    for repeat in range(repeats):
        models = {}
        for name in names[repeat % 3 :] + names[: repeat % 3]:  # none always first
            taken, models[name] = timed(arms[name])
            seconds[name].append(taken)
        rates.append(product_rate(product_size))
        taken_now = ", ".join(f"{name} {seconds[name][-1]:.2f} s" for name in names)
        print(f"  repeat {repeat + 1} of {repeats}: {taken_now}", flush=True)
        weights = [models[name].state_dict().values() for name in ("fit", "bare")]
        same = same and all(torch.equal(one, other) for one, other in zip(*weights, strict=True))
    return seconds, rates, same


def report(seconds: dict[str, list[float]], rate: float, same: bool, num_steps: int, *, judge: bool) -> bool:
    """Print the table; return whether both bars hold."""
    flops = step_flops()
    print(f"\n{'':8}{'ms per step':>12}{'share of the matrix-product rate':>36}")
    for name in ("fit", "bare", "usual"):
        step = statistics.median(seconds[name]) / num_steps
        print(f"{name:8}{step * 1e3:12.3f}{flops / step / rate:36.1%}")
    print(f"\nmatrix products: {flops / 1e6:.0f} MFLOP per step; the machine: {rate / 1e9:.0f} GFLOP/s in float32")
    print(f"fit and bare end with the same weights, bit for bit: {'yes' if same else 'NO'}\n")
    holds = same
    print(f"{'ratio':14}{'median':>8}{'from':>8}{'to':>8}{'bar':>8}  verdict")
    for name, bar in BARS.items():
        ratios = [mine / other for mine, other in zip(seconds["fit"], seconds[name], strict=True)]
        ratio = statistics.median(ratios)
        holds = holds and ratio <= bar
        verdict = ("holds" if ratio <= bar else "missed here") if judge else "too short to judge"
        print(f"fit / {name:8}{ratio:8.3f}{min(ratios):8.3f}{max(ratios):8.3f}{'≤ ' + format(bar, 'g'):>8}  {verdict}")
    return holds


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="fit beside plain PyTorch")
    parser.add_argument(
        "--quick", action="store_true", help="few steps on random images, to see that it runs; no verdict"
    )
    parser.add_argument(
        "--strict", action="store_true", help="end with status 1 if a bar is missed (so does COURSE_STRICT=1)"
    )
    parser.add_argument("--repeats", type=int, default=7, help="interleaved repeats after the warm-up, 5 or more")
    parser.add_argument("--samples", type=int, default=55_000, help="training images per epoch")
    options = parser.parse_args(arguments)
    here = runtime.setup(seed=0)
    if options.quick:
        x, repeats, source = torch.rand(3 * BATCH_SIZE, 784), 2, "random images (--quick)"
    else:
        images = load_images("mnist", device=torch.device("cpu"))
        x, source, repeats = images.train.flat[: options.samples].contiguous(), images.source, max(5, options.repeats)
    num_steps = -(-len(x) // BATCH_SIZE)
    print(f"VAE 784-400-20, batch {BATCH_SIZE}, {num_steps} steps per repeat, {repeats} repeats; data: {source}")
    seconds, rates, same = measure(x, repeats, product_size=512 if options.quick else 2048)
    holds = report(seconds, statistics.median(rates), same, num_steps, judge=not options.quick)
    return 1 if (options.strict or here.strict) and not options.quick and not holds else 0


if __name__ == "__main__":
    sys.exit(main())
