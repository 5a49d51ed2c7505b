// Tells the page around an embedded form how high it is; it holds nothing else.
(function () {
    if (parent === window) {
        return;
    }
    var tell = function () {
        parent.postMessage({ gdprFormHeight: document.body.scrollHeight + 16 }, "*");
    };
    addEventListener("load", tell);
    addEventListener("resize", tell);
    if (window.ResizeObserver) {
        new ResizeObserver(tell).observe(document.body);
    }
})();
