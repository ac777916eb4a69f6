from sknn.activations import Identity, Tanh, resolve_activation
from sknn.architecture import build_layers
from sknn.network import Network
from sknn.summary import summarize


def lines_of(layers, n_features):
    return summarize(Network(layers, n_features)).splitlines()


def rows_of(layers, n_features):
    return [line.split() for line in lines_of(layers, n_features)]


def test_each_layer_has_its_outputs_and_parameters():
    layers = build_layers([3, 2], [Tanh()] * 2, 1, dropout=[0.0, 0.1])

    assert rows_of(layers, 4) == [
        ["layer", "output", "parameters"],
        ["input", "4", "0"],
        ["Linear", "3", "15"],
        ["Tanh", "3", "0"],
        ["Linear", "2", "8"],
        ["Tanh", "2", "0"],
        ["Dropout", "2", "0"],
        ["Linear", "1", "3"],
        ["all", "26"],
    ]


def test_statistics_are_not_counted_and_linear_layers_before_them_have_no_intercept():
    layers = build_layers([3], [Tanh()], 1, normalization="batch")

    assert rows_of(layers, 4)[2:4] == [["Linear", "3", "12"], ["BatchNorm", "3", "6"]]
    assert rows_of(layers, 4)[-1] == ["all", str(12 + 6 + 4)]


def test_layers_of_a_residual_block_are_marked():
    layers = build_layers([3, 3], [Tanh()] * 2, 1, residual=True)

    assert rows_of(layers, 4)[2:] == [
        ["Linear", "3", "15"],
        ["Tanh", "3", "0"],
        ["+", "Linear", "3", "12"],
        ["+", "Tanh", "3", "0"],
        ["Linear", "1", "4"],
        ["all", "31"],
    ]


def test_the_sum_is_that_of_the_trained_parameters():
    layers = build_layers([5, 5], [Tanh()] * 2, 2, normalization="batch", residual=True)
    network = Network(layers, 4)

    assert summarize(network).split()[-1] == str(network.layout.n_trained)


class Cube:
    def forward(self, z):
        return z**3

    def backward(self, z, grad):
        return 3 * z**2 * grad


def test_a_users_function_has_its_own_name():
    layers = build_layers([3], [resolve_activation(Cube())], 1)

    assert rows_of(layers, 4)[3] == ["Cube", "3", "0"]


def test_columns_end_at_one_place_and_lines_without_blanks():
    lines = lines_of(build_layers([300], [Tanh()], 1, normalization="layer"), 4)

    assert len({len(line) for line in lines}) == 1
    assert not any(line.endswith(" ") for line in lines)


def test_a_linear_model_is_one_layer():
    assert rows_of(build_layers([], [], 2), 4)[2:] == [["Linear", "2", "10"], ["all", "10"]]
    assert rows_of(build_layers([3], [Identity()], 1), 4)[2:4] == [
        ["Linear", "3", "15"],
        ["Linear", "1", "4"],
    ]
