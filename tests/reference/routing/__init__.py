# SPDX-FileCopyrightText: 2026 The Moescope authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Golden values of the experiments on routing, on a longer run of the Mixtral fixture.

Every module has `values(run) -> dict[str, numpy.ndarray]`; the names follow the experiment's name.
"""
