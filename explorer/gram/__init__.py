"""Gram matrices of ReLU units and the training of a hidden layer alone, exactly (Du, Zhai, Poczos, Singh 2019)."""
