# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Routing, dispatch, export and optimizer against slow or defining forms."""

import sys
import unittest
from pathlib import Path

import torch
import torch.nn.functional as functional

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import hub_tensors  # noqa: E402
import optimizers  # noqa: E402
import upcycling  # noqa: E402
from decoder import Decoder, RoutedFeedForward, Shape  # noqa: E402

ROUTED = Shape("deepseek", 64, 12, 3, 3, 3, 4, 20, experts=5, top_k=3, expert_width=7, shared_width=14, first_dense=1,
               renormalise=False)  # fmt: skip
MIXTRAL = Shape("mixtral", 64, 12, 2, 3, 1, 4, 10, experts=4, top_k=2, expert_width=10)
DENSE = Shape("mistral", 64, 12, 2, 3, 1, 4, 10)


def slow_feed_forward(module: RoutedFeedForward, states: torch.Tensor) -> torch.Tensor:
    """Token by token, expert by expert."""
    rows = []
    for token in states.reshape(-1, states.shape[-1]):
        scores = module.router(token).softmax(-1)
        best = scores.argsort(descending=True)[: module.shape.top_k]
        weights = scores[best] / (scores[best].sum() if module.shape.renormalise else 1)
        row = module.shared(token) if module.shared is not None else torch.zeros_like(token)
        for expert, weight in zip(best, weights):
            inner = functional.silu(module.gate[expert] @ token) * (module.up[expert] @ token)
            row = row + weight * (module.down[expert] @ inner)
        rows.append(row)
    return torch.stack(rows).view_as(states)


class DecoderTest(unittest.TestCase):
    def test_routed_values_and_gradients_equal_the_slow_form(self) -> None:
        for shape in (ROUTED, MIXTRAL):
            module = Decoder(shape, seed=3).layers[-1].feed_forward
            torch.manual_seed(1)
            states = torch.randn(2, 9, shape.hidden, requires_grad=True)
            target = torch.randn(2, 9, shape.hidden)
            fast, slow = module(states)[0], slow_feed_forward(module, states)
            torch.testing.assert_close(fast, slow, rtol=1e-5, atol=1e-6)
            parameters = [states, *module.parameters()]
            got = torch.autograd.grad((fast * target).sum(), parameters)
            expected = torch.autograd.grad((slow * target).sum(), parameters)
            for one, other in zip(got, expected):
                torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)

    def test_removed_expert_is_never_chosen(self) -> None:
        model = Decoder(MIXTRAL, seed=3)
        model.layers[1].feed_forward.removed = 2
        _, records = model(torch.arange(50).view(2, 25))
        self.assertIn(2, records[0].chosen)
        self.assertNotIn(2, records[1].chosen)
        self.assertEqual(records[1].scores[:, 2].max().item(), 0.0)

    def test_upcycled_model_computes_what_the_dense_one_does(self) -> None:
        dense, routed = Decoder(DENSE, seed=4), Decoder(MIXTRAL, seed=5)
        routed.load_state_dict(upcycling.upcycled(dense.state_dict(), MIXTRAL, seed=6))
        ids = torch.arange(40).view(2, 20)
        torch.testing.assert_close(routed(ids)[0], dense(ids)[0], rtol=1e-5, atol=1e-5)

    def test_hub_layout_round_trip(self) -> None:
        for shape, names in ((ROUTED, 2 + 3 * 6 + 3 + 2 * (1 + 15 + 3)), (MIXTRAL, 2 + 2 * (6 + 1 + 12)), (DENSE, 2 + 2 * 9)):
            state = hub_tensors.rounded(Decoder(shape, seed=8).state_dict())
            hub = hub_tensors.to_hub(shape, state)
            self.assertEqual(len(hub), names)
            again = hub_tensors.from_hub(shape, hub)
            self.assertEqual(again.keys(), state.keys())
            self.assertTrue(all(torch.equal(again[name], state[name]) for name in state))

    def test_orthogonalised_singular_values(self) -> None:
        torch.manual_seed(2)
        for size in ((3, 22, 96), (2, 96, 22), (1, 40, 40)):
            values = torch.linalg.svdvals(optimizers.orthogonalise(torch.randn(size)))
            self.assertLess(values.max().item(), 1.3)
            self.assertGreater(values.median().item(), 0.6)


if __name__ == "__main__":
    unittest.main()
