"""What is made of the inputs of published networks beside their features."""

import numpy as np

from experiments.published.controls import histogram, reordered, spectrum, window


def test_a_histogram_has_the_shares_of_bytes_and_of_none():
    shares = histogram(np.array([[0, 0, 255, 256], [7, 7, 7, 7]]), 2)
    assert shares.shape == (2, 257)
    assert shares[0, [0, 255, 256]].tolist() == [0.5, 0.25, 0.25] and shares[1, 7] == 1


def test_windows_are_squares_around_frames_of_equal_width():
    image = np.arange(24.0).reshape(2, 12)
    found = window(image, 6).reshape(6, 2, 2)
    assert np.array_equal(found, [image[:, 2 * t : 2 * t + 2] for t in range(6)])
    wide = window(np.arange(12.0).reshape(4, 3), 3).reshape(3, 4, 4)
    # Of an even window the left of the two middles; beyond the edges pixels repeat.
    assert wide[:, 0].tolist() == [[0, 0, 1, 2], [0, 1, 2, 2], [1, 2, 2, 2]]


def test_a_tone_is_a_line_of_its_spectrum():
    wave = np.sin(2 * np.pi * 100 * np.arange(1024) / 1024)[None]
    assert spectrum(wave, 1)[0].argmax() == 100


def test_matrices_are_reordered_and_nothing_else():
    random = np.random.default_rng(0)
    kernel = random.normal(size=(3, 4, 5))
    mixed = reordered(kernel, random)
    assert mixed.shape == kernel.shape and not np.array_equal(mixed, kernel)
    assert np.array_equal(np.sort(mixed, axis=None), np.sort(kernel, axis=None))
    for kept in (kernel[0, 0], np.array(2.0), np.ones((2, 2), dtype=np.int64)):
        assert reordered(kept, random) is kept
