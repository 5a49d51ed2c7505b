"""The engine of the sensitive-data detector, on a small lexicon of its own."""

import sys
import tempfile
import unicodedata
import unittest
from collections.abc import Iterable
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

try:
    from sensitive import compiler, detector, folding, index, notation, words
except ImportError:  # run from elsewhere than the repository's root
    sys.path.insert(0, str(Path(__file__).parents[1] / "gdpr_crm" / "tools"))
    from sensitive import compiler, detector, folding, index, notation, words

LEXICON = {
    "fr/health.tsv": """\
        chimiothérap*            | block  |
        diabétique(s)            | block  | alone
        séropositi{f|ve}(s)      | block  |
        cancer(s)                | cue    | alone
        opéré(e)(s) .. genou     | review |
        <suffers> .. <ill>       | block  |
        hôpital                  | weak   |
        arthrose                 | cue    | +kin
        greffe                   | cue    | !garden
        tropique du cancer       | none   |
        œdème                    | block  |
        """,
    "fr/ethnic.tsv": """\
        noir(e)(s)               | cue    |
        """,
    "fr/union.tsv": """\
        =CGT                     | cue    | organisation
        délégué(e)(s) syndica{l|le|ux} | block |
        =CGT Immobilier          | none   |
        """,
    "fr/belief.tsv": """\
        catholique(s)            | cue    |
        """,
    "en/belief.tsv": """\
        christian(s)             | cue    |
        """,
    "de/health.tsv": """\
        *krebserkrankung         | block  |
        schwerhörig(e|er|en)     | block  |
        """.replace("(e|er|en)", "{|e|er|en}"),
    "fr/classes.tsv": """\
        person  | {il|elle} {est|a}
        person  | Mme
        person  | M
        person  | il
        person  | a
        kin     | {son|sa} {père|mère}
        garden  | rosier(s)
        suffers | souffre
        suffers | vit avec
        ill     | sclérose en plaques
        ill     | maladie de Crohn
        guard   | devis
        guard_belief | rue
        nodata  | religion inconnue
        """,
    "en/classes.tsv": """\
        person  | he
        person  | is
        """,
}
HEADER = {"classes": "class\texpression"}


def write_lexicon(folder: Path) -> None:
    """Writes the small lexicon as knowledge files."""
    for name, table in LEXICON.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [
            "\t".join(cell.strip() for cell in line.split(" | "))
            for line in table.replace(" |\n", " | \n").splitlines()
            if line.strip()
        ]
        header = HEADER.get(path.stem, "pattern\ttier\tcontext\tsource")
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def small_index() -> index.Index:
    """The small lexicon, compiled."""
    with tempfile.TemporaryDirectory() as folder:
        write_lexicon(Path(folder))
        return index.Index(compiler.compile_folder(Path(folder)))


BASE = small_index()


class DetectorCase(unittest.TestCase):
    """Assertions on what the detector finds in a text."""

    detector: detector.Detector

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.detector = detector.Detector(base=BASE)

    def levels(self, text: str, field: str | None = None, names: Iterable[str] = ()):
        found = self.detector.find(text, field, names)
        return {(one.category, one.level) for one in found}

    def assertFound(self, text: str, words: str, level: str = "block", **kwargs):
        found = self.detector.find(text, **kwargs)
        seen = [(text[one.start : one.end], one.level) for one in found]
        self.assertEqual(seen, [(words, level)])

    def assertNothing(self, text: str, field: str | None = None, **kwargs):
        self.assertEqual(self.detector.find(text, field, **kwargs), [])


class TestNotation(unittest.TestCase):
    def test_expansion(self):
        self.assertEqual(
            notation.expand("d{e|'un} client(s)"),
            ["de client", "de clients", "d'un client", "d'un clients"],
        )
        self.assertEqual(notation.expand("{a(b)|c}"), ["a", "c", "ab"])

    def test_apostrophe_and_hyphen_part_words(self):
        self.assertEqual(
            notation.parse("l'arc-boutant", "fr"), [((b"l", b"arc", b"boutant"),)]
        )

    def test_german_umlauts_have_two_spellings(self):
        self.assertEqual(notation.parse("Müll", "de"), [((b"mull",), (b"muell",))])
        self.assertEqual(notation.parse("Müll", "fr"), [((b"mull",),)])

    def test_problems_are_named(self):
        for pattern in (
            "a(b",
            "x|y",
            "abc*",
            "*abcd",
            "a ..",
            "=C.G.",
            "<foo",
            "fo*o",
            "{(a)|}",
        ):
            with self.subTest(pattern):
                self.assertTrue(notation.problems(pattern))
        for pattern in (
            "hospitalis{é|ée|ation}",
            "<suffers> cancer",
            "=CGT x",
            "abcd*",
        ):
            with self.subTest(pattern):
                self.assertEqual(notation.problems(pattern), [])


class TestPatterns(DetectorCase):
    def test_optional_letters_and_alternatives(self):
        self.assertFound("deux séropositives ici", "séropositives")
        self.assertFound("une deleguee syndicale", "deleguee syndicale")
        self.assertNothing("une déléguée commerciale")

    def test_whole_words_only(self):
        self.assertNothing("le cancérologue de Chambéry a appelé")

    def test_star_at_the_end(self):
        self.assertFound("sous chimiothérapies lourdes", "chimiothérapies")

    def test_star_at_the_start_finds_compounds(self):
        self.assertFound("Sie hat eine Darmkrebserkrankung", "Darmkrebserkrankung")

    def test_gap_stays_in_the_sentence(self):
        self.assertFound(
            "opéré hier matin du genou", "opéré hier matin du genou", "review"
        )
        self.assertNothing("Il sera opéré. Hier, le genou du tuyau")
        self.assertNothing("opéré un deux trois quatre genou")

    def test_class_of_several_words_on_both_sides(self):
        text = "Elle vit avec une maladie de Crohn"
        self.assertFound(text, "vit avec une maladie de Crohn")

    def test_case_sensitive_word(self):
        self.assertEqual(self.levels("il est à la CGT"), {("union", "block")})
        self.assertNothing("il est à la cgt")

    def test_dotted_acronym(self):
        self.assertEqual(self.levels("il est à la C.G.T depuis"), {("union", "block")})

    def test_longer_harmless_expression_takes_back(self):
        self.assertNothing("il est chez CGT Immobilier")
        self.assertNothing("elle a vu le tropique du Cancer")
        self.assertFound("au tropique, elle a un cancer", "cancer")

    def test_umlaut_in_either_spelling(self):
        for word in ("schwerhörige", "schwerhoerige", "schwerhorige"):
            self.assertFound(f"Sie ist eine {word}", word)

    def test_ligature_in_either_spelling(self):
        self.assertFound("un œdème ici", "œdème")
        self.assertFound("un OEDEME ici", "OEDEME")


class TestContext(DetectorCase):
    def test_cue_needs_a_person(self):
        self.assertFound("elle a un cancer", "cancer")
        self.assertFound("prévoir pour cancer en mai", "cancer", "review")

    def test_cue_of_another_sentence_does_not_count(self):
        self.assertFound("Elle a appelé. Voir pour cancer en mai", "cancer", "review")

    def test_guard_clears_an_ordinary_word(self):
        self.assertNothing("elle a le devis cancer")
        self.assertNothing("il est rue catholique")

    def test_guard_of_another_category_does_not(self):
        self.assertFound("il est rue cancer", "cancer")

    def test_weak_needs_a_person(self):
        self.assertFound("elle est à l'hôpital", "hôpital", "review")
        self.assertNothing("livraison pour hôpital en mai")

    def test_required_class(self):
        self.assertFound("son père est vu pour arthrose", "arthrose")
        self.assertNothing("il est vu pour arthrose")

    def test_excluding_class(self):
        self.assertFound("il est pour une greffe", "greffe")
        self.assertNothing("il est pour une greffe de rosiers")

    def test_negation_does_not_clear(self):
        self.assertFound("il n'est pas diabétique", "diabétique")

    def test_nothing_known_clears_the_sentence(self):
        self.assertNothing("religion inconnue, il est catholique ou non")

    def test_common_word_is_a_cue_in_its_own_language_only(self):
        self.assertFound("le chef a un petit cancer", "cancer")
        self.assertFound("this is for a cancer and with them", "cancer")
        self.assertFound("and for a cancer with them", "cancer", "review")

    def test_civility_makes_a_name(self):
        self.assertFound("vu hier Mme Noir pour son dossier", "Noir", "review")
        self.assertFound("vu hier, il est noir", "noir")

    def test_first_name_before_surname(self):
        self.assertFound("he is with Christian Dupont", "Christian", "review")
        self.assertFound("he is a Christian and proud", "Christian")

    def test_own_names_are_no_terms(self):
        self.assertNothing("M. Noir, il est là", names=["Claire Noir"])
        self.assertFound("il est catholique", "catholique", names=["Claire Noir"])


class TestFields(DetectorCase):
    def test_silent_fields(self):
        for field in detector.SILENT_FIELDS:
            self.assertNothing("diabétique", field)

    def test_unknown_field_is_like_a_comment(self):
        self.assertFound("elle a un cancer", "cancer", field="x_custom")

    def test_job_title_and_tag_block_strong_terms_only(self):
        self.assertFound("Délégué syndical", "Délégué syndical", field="function")
        self.assertFound("elle a un cancer", "cancer", "review", field="function")
        self.assertFound("Responsable catholique", "catholique", "review", field="tag")

    def test_tag_that_is_just_the_word(self):
        self.assertFound("Cancer", "Cancer", field="tag")
        self.assertFound(" cancer. ", "cancer")
        self.assertFound("suivi cancer", "cancer", "review")

    def test_company_name_only_takes_organisations(self):
        self.assertNothing("Institut du diabétique", "company_name")
        self.assertEqual(
            self.levels("CGT Renault", "company_name"), {("union", "review")}
        )


class TestDisguises(DetectorCase):
    def test_disguised_words_are_found(self):
        for text in (
            "dіabétіque",  # Cyrillic і
            "ｄｉａｂétique",  # full width
            "dia\u200bbétique",  # zero width space
            "dia\u200fbétique",  # right-to-left mark
            "dia\u00adbétique",  # soft hyphen
            unicodedata.normalize("NFD", "diabétique"),
            "𝐝𝐢𝐚𝐛𝐞𝐭𝐢𝐪𝐮𝐞",  # mathematical bold
            "d.i.a.b.é.t.i.q.u.e",
            "d-i-a-b-é-t-i-q-u-e",
            "d i a b é t i q u e",
            "d1abét1que",
            "diabétiiiiique",
            "DIABÉTIQUE",
            "diabétique\x00",
        ):
            with self.subTest(text):
                self.assertFound(f"Le chef est {text} !", text.rstrip("\x00"))

    def test_ligature_of_a_font(self):
        self.assertFound("un séropositiﬀ".replace("ﬀ", "f"), "séropositif")
        self.assertFound("un séropositifs ﬁnal", "séropositifs")

    def test_slip_of_the_pen_is_one_tier_weaker(self):
        for text in (
            "diabetiqeu",
            "diabbétique",
            "diabétiqque",
            "diabétque",
            "daibétique",
        ):
            with self.subTest(text):
                self.assertFound(f"elle est {text} depuis", text, "block")
                self.assertFound(f"note : {text} depuis", text, "review")

    def test_far_words_are_no_slips(self):
        self.assertNothing("elle est diabolique et catalytique, séropostale")

    def test_nearness(self):
        for one, other in (
            ("ab", "ba"),
            ("abc", "ac"),
            ("abc", "adc"),
            ("abc", "abcd"),
        ):
            self.assertTrue(words.is_near(one.encode(), other.encode()))
        for one, other in (("abcd", "badc"), ("abc", "cba"), ("abcd", "ab")):
            self.assertFalse(words.is_near(one.encode(), other.encode()))


class TestMarkup(DetectorCase):
    def test_offsets_are_those_of_the_source(self):
        self.assertFound(
            "<p>vu : dia&shy;b<b>&eacute;</b>tique&nbsp;!</p>",
            "dia&shy;b<b>&eacute;</b>tique",
        )
        self.assertFound("<p>un <b>diabétique</b></p>", "diabétique")
        self.assertFound("R&amp;D diabétiqu&#101;", "diabétiqu&#101;")

    def test_block_tags_end_a_sentence(self):
        self.assertNothing("<p>il sera opéré</p><p>du genou</p>")
        self.assertNothing("<div>opéré<br>genou</div>")

    def test_attributes_scripts_and_styles_are_no_words(self):
        self.assertNothing('<p title="diabétique">x</p>')
        self.assertNothing("<style>.diabétique {}</style><!-- diabétique -->")
        self.assertNothing("<SCRIPT type='x'>diabétique</SCRIPT>")

    def test_unclosed_script_hides_nothing(self):
        self.assertFound("<script> diabétique", "diabétique")

    def test_image_data_is_skipped(self):
        data = "diabétique/" * 1000
        self.assertNothing(f'<p><img src="data:image/png;base64,{data}"></p>')

    def test_angle_brackets_of_plain_text_hide_nothing(self):
        self.assertFound("poids <80 et diabétique> oui", "diabétique")
        self.assertFound("Jean <diabétique>", "diabétique")


class TestLongTexts(DetectorCase):
    def test_offset_far_down(self):
        text = "Rien à dire de ce client.\n" * 2000 + "Il est diabétique.\n"
        found = self.detector.find(text)
        self.assertEqual([text[one.start : one.end] for one in found], ["diabétique"])

    def test_pieces_are_the_whole_text(self):
        for text in ("x" * 20000, "mot " * 5000, "ligne\n" * 5000, "a. " * 3000, ""):
            pieces = list(detector.pieces(text, detector.PIECE))
            self.assertEqual("".join(piece for _, piece in pieces), text)
            for offset, piece in pieces:
                self.assertLessEqual(len(piece), detector.PIECE)
                self.assertEqual(text[offset : offset + len(piece)], piece)

    def test_work_grows_with_the_length(self):
        """Twice the text, at most a little over twice the calls."""
        for unit in (
            "elle a un cancer ",
            "cancer.\n",
            "cancer ",
            "opéré ",
            "a",
            "d.",
            "d i a b ",
            "<p ",
            "<b>cancer</b>",
            "<script>",
            "<!--",
            "&eacute;",
            "dia\u200bbétique ",
            "\u0301",
            "ﬁ ",
            "\x00",
            "souffre de sclérose en ",
            "il il a ",
            "🙂а",
            "\n",
        ):
            with self.subTest(unit):
                small = self.calls(unit * (20_000 // len(unit)))
                large = self.calls(unit * (40_000 // len(unit)))
                self.assertLess(large, 2.3 * small + 2000)

    def calls(self, text: str) -> int:
        count = 0

        def note(frame: object, event: str, arg: object) -> None:
            nonlocal count
            count += 1

        one = detector.Detector(base=BASE)
        one.find(text)
        sys.setprofile(note)
        try:
            one.find(text)
        finally:
            sys.setprofile(None)
        return count


class TestMemory(DetectorCase):
    def test_remembered_words_are_bounded(self):
        one = detector.Detector(base=BASE)
        limit, detector.REMEMBERED = detector.REMEMBERED, 100
        try:
            for number in range(500):
                one.find(f"mot{number:x}q rien")
                self.assertLessEqual(len(one._clean), 101)
        finally:
            detector.REMEMBERED = limit

    def test_long_numbers_are_not_remembered(self):
        one = detector.Detector(base=BASE)
        one.find("tel 0612345678 poste 1234")
        self.assertIn(b"1234", one._clean)
        self.assertNotIn(b"0612345678", one._clean)


class TestNames(unittest.TestCase):
    """A name itself is never looked at, a remark behind it is."""

    def found(self, text, **kwargs):
        kwargs.setdefault("field", "name")
        return [text[one.start : one.end] for one in detector.find(text, **kwargs)]

    def test_name_alone_is_silent(self):
        for name in ("Christian Noir", "Mme Lépine-Cancer", "Diabétique Paul"):
            self.assertEqual(self.found(name), [], name)

    def test_remark_behind_a_name_is_found_at_its_place(self):
        for text in ("Jo Doe (séropositif)", "Jo Doe - séropositif", "Jo, séropositif"):
            self.assertEqual(self.found(text), ["séropositif"], text)

    def test_part_of_a_name_is_no_remark(self):
        self.assertEqual(self.found("Noir, Christian"), [])
        self.assertEqual(self.found("Marie-Christian Noir"), [])

    def test_remark_does_not_allow_itself_elsewhere(self):
        names = ["Jo Doe (séropositif)"]
        self.assertTrue(self.found("il est séropositif", field="comment", names=names))
        self.assertTrue(self.found(names[0], names=names))


class TestOwnTerms(DetectorCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.plain = cls.detector
        cls.detector = detector.Detector(
            extra=[
                ("licorne(s)", "belief", "block"),
                ("cercle rouge", "union", "review"),
            ],
            allow=["monture diabétique", "=Catholique Assurances"],
            base=BASE,
        )

    def test_added_term(self):
        self.assertFound("deux licornes ici", "licornes")
        self.assertFound("au cercle rouge", "cercle rouge", "review")
        self.assertEqual(self.plain.find("deux licornes ici"), [])

    def test_shipped_terms_stay(self):
        self.assertFound("elle a un cancer", "cancer")

    def test_allowed_term(self):
        self.assertNothing("monture diabétique livrée")
        self.assertFound("client diabétique", "diabétique")

    def test_rules_of_own_terms_are_marked(self):
        self.assertEqual(self.detector.find("licorne")[0].rule[:11], "own.belief.")

    def test_bad_pattern_is_refused(self):
        with self.assertRaises(notation.PatternError):
            detector.Detector(extra=[("a(b", "health", "block")], base=BASE)


class TestMerging(unittest.TestCase):
    def test_overlaps_become_one_with_the_strongest_level(self):
        make = detector.Finding
        found = detector.merged(
            [
                make("health", "review", 0, 10, "a"),
                make("health", "block", 5, 12, "b"),
                make("union", "review", 6, 8, "c"),
                make("health", "review", 12, 14, "d"),
            ]
        )
        self.assertEqual(
            found,
            [
                make("health", "block", 0, 12, "b"),
                make("union", "review", 6, 8, "c"),
                make("health", "review", 12, 14, "d"),
            ],
        )


class TestIndex(unittest.TestCase):
    def test_compiling_is_reproducible(self):
        with tempfile.TemporaryDirectory() as folder:
            write_lexicon(Path(folder))
            once = compiler.compile_folder(Path(folder))
            self.assertEqual(once, compiler.compile_folder(Path(folder)))

    def test_bad_lines_are_left_out(self):
        with tempfile.TemporaryDirectory() as folder:
            write_lexicon(Path(folder))
            with (Path(folder) / "fr" / "health.tsv").open("a") as file:
                file.write("a(b\tblock\nlicorne\tunknown\n\n# comment\nlicorne\n")
            one = detector.Detector(
                base=index.Index(compiler.compile_folder(Path(folder)))
            )
            self.assertEqual(one.find("licorne"), [])
            self.assertEqual(len(one.find("diabétique")), 1)

    def test_rule_names_hold_no_words(self):
        found = detector.Detector(base=BASE).find("diabétique")
        self.assertRegex(found[0].rule, r"^fr\.health\.[0-9a-f]{8}$")


PARTS = st.sampled_from(
    [
        *("diabétique", "cancer", "elle a un", "opéré", "genou", "CGT", "C.G.T."),
        *("Mme Noir", "d.i.a.b.é.t.i.q.u.e", " ", ". ", "\n", "<p>", "</p>", "<b>"),
        *("&eacute;", "&", "<", "\u200b", "\u0301", "ﬁ", "œdème", "Œ", "ß", "à"),
        *("\x00", "<script>", "</script>", "<!--", "-->", "souffre de"),
        *("maladie de Crohn", "ａ", "ї", "🙂", "\ud800", "0612345678"),
    ]
)
TEXTS = st.one_of(
    st.text(), st.lists(PARTS).map("".join), st.lists(PARTS).map(" ".join)
)
FIELDS = st.sampled_from([None, "comment", "function", "tag", "company_name", "name"])


class TestProperties(unittest.TestCase):
    detector = detector.Detector(base=BASE)

    @given(TEXTS, FIELDS)
    @settings(max_examples=400, deadline=None)
    @example("<b>&eacute;", None)
    def test_any_text_gives_valid_offsets(self, text, field):
        last = -1
        for one in self.detector.find(text, field):
            self.assertTrue(0 <= one.start < one.end <= len(text))
            self.assertIn(one.level, ("block", "review"))
            self.assertLessEqual(last, one.start)
            last = one.start

    @given(TEXTS)
    @settings(max_examples=300, deadline=None)
    def test_folding_keeps_the_length(self, text):
        self.assertEqual(len(folding.fold(text)), len(text))

    @given(st.lists(PARTS).map("".join))
    @settings(max_examples=300, deadline=None)
    def test_decomposed_accents_change_nothing(self, text):
        composed = unicodedata.normalize("NFC", text)
        apart = unicodedata.normalize("NFD", composed)
        self.assertEqual(self.words(composed), self.words(apart))

    def words(self, text):
        def composed(one):
            return unicodedata.normalize("NFC", text[one.start : one.end])

        return [
            (one.category, one.level, composed(one)) for one in self.detector.find(text)
        ]

    @given(TEXTS)
    @settings(max_examples=200, deadline=None)
    def test_what_was_seen_before_changes_nothing(self, text):
        fresh = detector.Detector(base=BASE)
        self.assertEqual(fresh.find(text), self.detector.find(text))


if __name__ == "__main__":
    unittest.main()
