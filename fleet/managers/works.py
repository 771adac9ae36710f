"""What a manager wraps objects of a run in, on a hub: found by these, waited for, and deleted when nobody owns it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from fleet.errors import DeadlineError, KubeError
from fleet.kube.client import KubeClient
from fleet.kube.each import each
from fleet.kube.errors import NotFound
from fleet.kube.resources import Resource
from fleet.kube.waiting import Objects, wait_for_objects
from fleet.managers.manager import Cleaning
from fleet.model.run_names import RUN_LABEL

GRACE_SECONDS = 60.0
"""How long a manager has to delete them by itself before those without an owner are deleted for it."""

Work = Mapping[str, Any]


def holds_run(work: Work, run_id: str | None) -> bool:
    """Whether it wraps an object of that run (None: of any run)."""
    manifests: Sequence[Mapping[str, Any]] = work.get("spec", {}).get("workload", {}).get("manifests") or []
    for manifest in manifests:
        label = (manifest.get("metadata", {}).get("labels") or {}).get(RUN_LABEL)
        if label is not None and (run_id is None or label == run_id):
            return True
    return False


class Works:
    """Those of one run (None: of any run) on one hub: objects of `resource` with their manifests under
    `spec.workload`; `selector` finds those of the manager, of which those `aside` are not meant."""

    def __init__(
        self,
        hub: KubeClient,
        resource: Resource,
        run_id: str | None,
        *,
        selector: str | None,
        aside: Callable[[Work], bool] = lambda _: False,
    ) -> None:
        self._hub = hub
        self._resource = resource
        self._run_id = run_id
        self._selector = selector
        self._aside = aside

    async def wait(self, seconds: float) -> str:
        """Empty when there is none any more, else what was still there after `seconds`."""

        def ours(found: Objects) -> list[str]:
            return [f"{namespace}/{name}" for (namespace, name), item in found.items() if self._ours(item)]

        try:
            await wait_for_objects(
                self._hub,
                self._resource,
                lambda found: not ours(found),
                label_selector=self._selector,
                timeout=seconds,
                what=f"{self._resource.kind}s of the run",
                missing=ours,
            )
        except DeadlineError as error:
            return str(error)
        return ""

    async def clear(
        self,
        owned: Callable[[], Awaitable[Callable[[Work], bool]]],
        cleaning: Cleaning,
        *,
        seconds: float,
        hint: str,
    ) -> None:
        """Wait until none is there, at most `seconds`; after a grace, `owned` is read and those without an owner go.

        `hint`: a sentence about what stays all the same.
        """
        grace = min(GRACE_SECONDS, seconds / 2)
        if not await self.wait(grace):
            return
        await self.drop_orphans(await owned(), cleaning)
        if why := await self.wait(max(1.0, seconds - grace)):
            cleaning.left(f"{why}. {hint}")

    async def drop_orphans(self, owned: Callable[[Work], bool], cleaning: Cleaning) -> None:
        """Delete those that nobody owns any more; one that cannot be deleted is reported and does not stop the
        others."""
        works = await self._hub.list_all(self._resource, label_selector=self._selector)
        orphans = [item for item in works if self._ours(item) and not owned(item)]
        deleted = 0

        async def drop(item: Work) -> None:
            nonlocal deleted
            meta = item["metadata"]
            try:
                await self._hub.delete(self._resource, meta["name"], meta["namespace"], uid=meta["uid"])
            except NotFound:
                return
            except KubeError as error:
                cleaning.left(f"{self._hub.cluster}: {self._resource.kind} {meta['namespace']}/{meta['name']}: {error}")
                return
            deleted += 1

        await each(orphans, drop)
        cleaning.took(self._hub, self._resource, deleted)

    def _ours(self, work: Work) -> bool:
        return holds_run(work, self._run_id) and not self._aside(work)
