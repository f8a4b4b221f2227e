"""Numbers, names and errors in sentences: where it is one, where there are more, where nothing is said."""

from safety.words import counted, first_and_more, first_few, first_line, in_one_line, listed


def test_one_thing_is_no_several():
    assert [counted(number, "image") for number in (0, 1, 2, 1200)] == [
        "0 images",
        "1 image",
        "2 images",
        "1,200 images",
    ]
    assert [counted(number, "copy is", "copies are") for number in (1, 2)] == ["1 copy is", "2 copies are"]


def test_names_are_listed_whole_or_by_the_first_of_them():
    assert [listed(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
    assert listed(["a", "b", "c"], "or") == "a, b or c"
    assert [first_few(["a", "b", "c"], most) for most in (2, 3, 4)] == ["a, b, ...", "a, b, c", "a, b, c"]
    assert [first_and_more(["a", "b", "c"], most) for most in (2, 3, 4)] == ["a, b and 1 more", "a, b, c", "a, b, c"]


def test_an_error_is_one_line_and_never_nothing():
    error = ValueError("\n it is\n  wrong: 1\t2")
    assert (in_one_line(error), first_line(error)) == ("it is wrong: 1 2", "it is")
    assert (in_one_line(error, 5), first_line(error, 2)) == ("it is", "it")
    assert (in_one_line(KeyboardInterrupt()), first_line(MemoryError(" \n"))) == ("KeyboardInterrupt", "MemoryError")
