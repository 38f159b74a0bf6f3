"""Interpolated Kneser–Ney smoothing: a strong model of text that only counts.

**The formula.** A model with k characters of context h predicts the next character c from what has followed h so far.
Let N(h, c) be how often c did, and N(h) = Σ_c N(h, c). The relative frequency N(h, c) / N(h) gives everything new the
probability 0. So take a *discount* D from each count, and give what this sets free to the prediction of the context
h′, which is h without its first character:

    p(c ∣ h) = (N(h, c) − D) / N(h) + F(h) / N(h) · p(c ∣ h′),

where the first term is 0 if N(h, c) = 0, and F(h) is the sum of all discounts taken in h: p sums to 1. Where h has
never occurred, p(c ∣ h) = p(c ∣ h′). The empty context passes its share on to the uniform distribution over the V
characters of the alphabet. The discount is one number, or depends on the length of h and on the count itself
(:mod:`course_utils.ngrams.discounts`).

**Continuation counts.** Only for the longest contexts is N(h, c) a number of occurrences. For shorter ones it is the
number of different characters x for which x h c occurs in the text. The reason: p(c ∣ h′) is asked for what h does not
know, so it should say how readily c comes in a *new* place, not how frequent it is. Take the letter h in tiny
Shakespeare: 44 % of its occurrences stand after t. The context t predicts these without help; in other contexts h is
rarer than its frequency of 4.6 % says. Its continuation count gets 1 for t, however often "th" occurs, and is 2.2 % of
all such counts. Kneser & Ney derive these counts from the demand that the smoothed model gives shorter grams
the frequencies that they have in the text.

**Static and adaptive.** A static model has read its text once and for all. An adaptive one counts each character after
it has been predicted, and so learns the names in a play that it has never read, as a program that compresses files
does. These are two different games; say which one a number comes from.

Sources: Kneser & Ney, *Improved backing-off for m-gram language modeling*, ICASSP 1995; Chen & Goodman, *An empirical
study of smoothing techniques for language modeling*, Computer Speech and Language 13, 1999.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from course_utils.errors import InputError
from course_utils.ngrams.alphabets import index_of, require_known, require_string
from course_utils.ngrams.counts import Reading, count_followers
from course_utils.ngrams.discounts import Discounts, discounts_by_length, require_discount

__all__ = ["KneserNey"]


class KneserNey:
    """A character n-gram model, n = ``context`` + 1, with interpolated Kneser–Ney smoothing.

    Args:
        context: how many characters it looks back, 0 or more. With 0 it knows only the characters' frequencies.
        discount: a number in [0, 1), taken from every count; ``"one"`` for one estimated discount for each
            length of context; ``"modified"`` for three. With 0, a character that has never followed a context that has
            occurred gets the probability 0.
        alphabet: the V characters that texts may have, each once; None for those of the fitted text, sorted.

    Attributes:
        alphabet: the characters; empty until ``fit`` where none were given.
        discounts: for contexts of 0, 1, … ``context`` characters, what is taken from a count of 1, of 2, and of 3 or
            more; empty until ``fit``. Adaptive reading does not estimate them anew.

    Raises:
        InputError: if ``context`` is no whole number of 0 or more, ``discount`` is none of these, or the alphabet is
            empty or has a character twice.
    """

    def __init__(self, context: int = 5, discount: float | str = 0.75, alphabet: str | None = None) -> None:
        if not isinstance(context, int | np.integer) or context < 0:
            raise InputError(f"context is {context!r}; give a number of characters to look back, 0 or more.")
        require_discount(discount)
        self.context = int(context)
        self.discount = discount
        self.alphabet = alphabet or ""
        self.discounts: list[Discounts] = []
        self._chosen = alphabet is not None
        self._index = index_of(alphabet) if alphabet is not None else {}
        self._followers: dict[str, dict[str, int]] | None = None

    def fit(self, text: str) -> Self:
        """Count a text; what was counted before is forgotten.

        An empty text is fine if the alphabet was given: the model then begins with the uniform distribution, and an
        adaptive reading of a text measures what it costs to learn it from nothing.

        Returns:
            The model itself.

        Raises:
            InputError: if the text is no string, has characters outside a given alphabet, or is empty without one.
        """
        if self._chosen:
            require_known("text", text, self._index)
        else:
            require_string("text", text)
            if not text:
                raise InputError("text is empty, so there is no alphabet; give KneserNey one, or a text.")
            self.alphabet = "".join(sorted(set(text)))
            self._index = index_of(self.alphabet)
        self._followers = count_followers(text, self.context)
        self.discounts = discounts_by_length(self._followers, self.context, self.discount)
        return self

    def log_probs(self, text: str, before: str = "", *, adaptive: bool = False) -> NDArray[np.float64]:
        """The log-probability of each character of a text, given those before it.

        Args:
            text: what is predicted, T characters.
            before: what stands before it, and is neither predicted nor counted; its last ``context`` characters
                matter. Without it the text begins with a short context, as the fitted text did.
            adaptive: whether each character of ``text`` is counted once it has been predicted. Afterwards the model is
                as it was.

        Returns:
            Shape (T,), in nats, at most 0. The mean with the other sign is the loss in nats per character.

        Raises:
            InputError: if a text has characters outside the alphabet, or the model has not been fitted.
        """
        reading = self._reading()
        require_known("text", text, self._index)
        require_known("before", before, self._index)
        known = self._last(before)
        whole = known + text
        probabilities = np.empty(len(text))
        for place, character in enumerate(text):
            end = len(known) + place
            context = whole[max(0, end - self.context) : end]
            probabilities[place] = self._probability(reading, context, character)
            if adaptive:
                reading.add(context, character)
        with np.errstate(divide="ignore"):  # a discount of 0 can give the probability 0
            return np.minimum(np.log(probabilities), 0.0)

    def distribution(self, before: str) -> NDArray[np.float64]:
        """The probability of each character to come next.

        Args:
            before: what stands before it; its last ``context`` characters matter.

        Returns:
            Shape (V,), in the order of the alphabet, summing to 1.

        Raises:
            InputError: if ``before`` has characters outside the alphabet, or the model has not been fitted.
        """
        reading = self._reading()
        require_known("before", before, self._index)
        return self._distribution(reading, self._last(before))

    def sample(self, length: int, prompt: str = "", seed: int = 0) -> str:
        """Write a text, each character drawn from the distribution after those before it.

        Args:
            length: how many characters to write, 0 or more.
            prompt: what stands before them.
            seed: the same seed gives the same text.

        Returns:
            ``length`` characters, without the prompt.

        Raises:
            InputError: if ``length`` is negative, the prompt has characters outside the alphabet, or the model has not
                been fitted.
        """
        reading = self._reading()
        require_known("prompt", prompt, self._index)
        if length < 0:
            raise InputError(f"length is {length}; write 0 characters or more.")
        context, written = self._last(prompt), []
        for u in np.random.default_rng(seed).random(length):
            cumulated = self._distribution(reading, context).cumsum()
            place = int(np.searchsorted(cumulated, u * cumulated[-1], side="right"))
            written.append(self.alphabet[min(place, len(self.alphabet) - 1)])
            context = self._last(context + written[-1])
        return "".join(written)

    def _reading(self) -> Reading:
        if self._followers is None:
            raise InputError("The model has not counted anything yet; call fit(text) first.")
        return Reading(self._followers)

    def _last(self, text: str) -> str:
        """The characters that the model looks back at."""
        return text[max(0, len(text) - self.context) :]

    def _probability(self, reading: Reading, context: str, character: str) -> float:
        """p(c ∣ h), from the empty context up to the longest that has occurred."""
        p = 1 / len(self.alphabet)
        for length in range(len(context) + 1):
            followers = reading.get(context[len(context) - length :])
            if followers is None:
                break
            discounts = self.discounts[length]
            count = followers.counts.get(character, 0)
            kept = count - discounts[min(count, 3) - 1] if count else 0.0
            p = (kept + followers.freed(discounts) * p) / followers.total
        return p

    def _distribution(self, reading: Reading, context: str) -> NDArray[np.float64]:
        """The same for all characters at once, (V,)."""
        p = np.full(len(self.alphabet), 1 / len(self.alphabet))
        for length in range(len(context) + 1):
            followers = reading.get(context[len(context) - length :])
            if followers is None:
                break
            discounts = self.discounts[length]
            p *= followers.freed(discounts)
            for character, count in followers.counts.items():
                p[self._index[character]] += count - discounts[min(count, 3) - 1]
            p /= followers.total
        return p
