"""The page in a real browser, at the widths of a phone and a desk: the system's Chromium, through Playwright."""

import json
import shutil
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
#: A film of nothing instead of a camera, and nobody asked whether it may be used.
ARGUMENTS = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright: pip install playwright")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def desk(app, browser):
    yield from opened(app, browser, DESK)


@pytest.fixture(scope="module")
def phone(app, browser):
    yield from opened(app, browser, PHONE)


def opened(app, browser, size):
    """Open the page; at the end nothing may have been asked of another host, and no script may have failed."""
    page = browser.new_page(viewport=size)
    hosts, wrong = set(), []
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.goto(app.url)
    page.wait_for_selector(".fh-picker")
    yield page
    page.close()
    assert hosts - {""} == {urlsplit(app.url).netloc}
    assert wrong == []


def open_tab(page, name):
    page.get_by_role("tab", name=name).click()
    page.locator(".fh-picker:visible").first.wait_for()


def choose(page, *paths, picker=0):
    page.locator(".fh-picker:visible input.fh-files").nth(picker).set_input_files([str(path) for path in paths])


def shown(page, selector):
    found = page.locator(selector).locator("visible=true").first
    found.wait_for(timeout=30_000)
    return found


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_a_photo_is_annotated_explained_and_downloaded(desk, group_photo, tmp_path):
    open_tab(desk, "Annotate")
    choose(desk, group_photo)
    shown(desk, ".fh-faces li")
    assert desk.locator(".fh-faces > li").count() >= 6
    for kind in ("PNG", "CSV", "JSON"):
        with desk.expect_download() as download:
            desk.get_by_role("link", name=kind, exact=True).click()
        download.value.save_as(tmp_path / kind)
    with Image.open(tmp_path / "PNG") as picture, Image.open(group_photo) as photo:
        assert (picture.format, picture.size) == ("PNG", photo.size)
    assert (tmp_path / "CSV").read_text().startswith("path,face_index,")
    assert len(json.loads((tmp_path / "JSON").read_text())["faces"]) >= 6
    desk.get_by_role("button", name="Why gender of face 1?").click()
    assert "Face 1: gender = " in shown(desk, ".fh-explanation").inner_text()


def test_a_file_that_is_no_photo_gives_a_sentence_and_reset_clears_it(desk, tmp_path):
    open_tab(desk, "Annotate")
    (tmp_path / "notes.txt").write_text("hello")
    choose(desk, tmp_path / "notes.txt")
    shown(desk, ".fh-message >> text=“notes.txt” is not a picture")
    desk.get_by_role("button", name="Reset").locator("visible=true").click()
    desk.wait_for_function("document.querySelectorAll('.fh-message, .fh-result').length === 0")
    assert desk.locator(".fh-chosen:visible").count() == 0


def test_a_file_that_is_too_large_is_not_even_sent(desk, tmp_path):
    open_tab(desk, "Annotate")
    (tmp_path / "large.jpg").write_bytes(bytes(3_200_000))
    sent = []
    desk.on("request", lambda request: sent.append(request.url) if "queue/join" in request.url else None)
    choose(desk, tmp_path / "large.jpg")
    assert "the page takes at most 3 MB" in shown(desk, ".fh-status.wrong").inner_text()
    assert sent == []


def test_a_photo_without_a_face_gives_a_sentence(desk, tmp_path):
    open_tab(desk, "Annotate")
    Image.fromarray(np.full((90, 120, 3), 200, np.uint8)).save(tmp_path / "wall.png")
    choose(desk, tmp_path / "wall.png")
    shown(desk, ".fh-message >> text=No face was found in “wall.png”")


def test_an_example_is_annotated_by_the_keyboard_alone(desk):
    open_tab(desk, "Annotate")
    example = desk.locator(".fh-picker:visible [data-example='0']")
    desk.get_by_role("button", name="Use the camera").locator("visible=true").focus()
    for _ in range(3):  # Clear may stand between
        desk.keyboard.press("Tab")
        if example.evaluate("element => element === document.activeElement"):
            break
    desk.keyboard.press("Enter")
    shown(desk, ".fh-faces li")


def test_the_camera_takes_a_photo(desk):
    open_tab(desk, "Annotate")
    desk.get_by_role("button", name="Use the camera").locator("visible=true").click()
    shown(desk, ".fh-camera video")
    desk.wait_for_function("document.querySelector('.fh-camera video').videoWidth > 0")
    desk.get_by_role("button", name="Take the photo").locator("visible=true").click()
    shown(desk, ".fh-result >> text=camera.jpg")
    assert desk.locator(".fh-camera:visible").count() == 0


def test_two_photos_are_compared_and_explained_on_a_phone(phone, pair):
    open_tab(phone, "Compare")
    for position, path in enumerate(pair):
        choose(phone, path, picker=position)
    assert "The same person" in shown(phone, ".fh-answer").inner_text()
    phone.get_by_role("button", name="What makes them similar?").click()
    shown(phone, ".fh-explanation")
    assert phone.locator(".fh-explanation figure:visible").count() == 2
    assert fits(phone)


def test_the_card_of_another_choice_is_shown(desk):
    open_tab(desk, "Compare")
    chosen = desk.get_by_label("Compared by").locator("visible=true")
    desk.get_by_role("button", name="About this choice").locator("visible=true").click()
    shown(desk, "text=false match rate")
    chosen.click()
    desk.get_by_role("option", name="dlib, similarity only").click()
    shown(desk, "text=--save_threshold")


def test_photos_are_grouped_by_person_on_a_phone(phone, pair, group_photo, tmp_path):
    open_tab(phone, "Group")
    (tmp_path / "notes.txt").write_text("hello")
    choose(phone, *pair, group_photo, tmp_path / "notes.txt")
    shown(phone, ".fh-status >> text=4 photos chosen")
    phone.get_by_role("button", name="Group by person").click()
    assert "2 faces" in shown(phone, ".fh-person").inner_text()
    assert "notes.txt" in shown(phone, ".fh-message").inner_text()
    assert fits(phone)


def test_the_page_fits_a_phone(phone, group_photo):
    open_tab(phone, "Annotate")
    choose(phone, group_photo)
    shown(phone, ".fh-faces li")
    assert fits(phone)
    assert [tab.is_visible() for tab in phone.get_by_role("tab").all()[:3]] == [True] * 3
