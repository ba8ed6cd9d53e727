"""The keys of a portal that is tried out: made once, whoever starts first and however many start at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from portal.local import local_keys

AT_ONCE = 8


def test_those_that_start_at_once_have_the_same(tmp_path):
    for turn in range(50):
        start, folder = Barrier(AT_ONCE), tmp_path / str(turn)

        def keys(_number, start=start, folder=folder):
            start.wait()
            return local_keys(folder)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            made = list(pool.map(keys, range(AT_ONCE)))
        assert made == [made[0]] * AT_ONCE
        assert local_keys(folder) == made[0]


def test_a_file_that_was_begun_and_left_is_written(tmp_path):
    (tmp_path / "keys.json").touch()
    made = local_keys(tmp_path)
    assert set(made) == {"secret_key", "sealing_keys"}
    assert local_keys(tmp_path) == made


def test_its_owner_alone_reads_it(tmp_path):
    local_keys(tmp_path / "var")
    assert (tmp_path / "var").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "var/keys.json").stat().st_mode & 0o777 == 0o600
