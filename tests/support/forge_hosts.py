"""The four hosts of `support.forge_server`: their paths, what each takes, and what each answers."""

from __future__ import annotations

import base64
import re
from typing import Any

from support import github_answers
from support.forge_server import NAME, Asked, ForgeServer, Hosted, Problem, commit_on
from support.git_world import git

Answer = tuple[int, Any]


def _match(asked: Asked, method: str, pattern: str) -> re.Match[str] | None:
    return re.fullmatch(pattern, asked.path) if asked.method == method else None


def _page(asked: Asked, size: str, items: list[Any]) -> list[Any]:
    page, length = int(asked.query.get("page", "1")), int(asked.query.get(size, "30"))
    return items[(page - 1) * length : page * length]


# -- GitHub

_GITHUB = "/api/v3/repos/acme/deploy"


def github(state: ForgeServer, asked: Asked) -> Answer:
    if asked.method == "POST" and asked.path == "/api/graphql":
        answer = _graphql(state, asked)
        state.operations.append((asked.body["query"], asked.body["variables"], answer))
        return 200, answer
    if _match(asked, "GET", _GITHUB):
        return 200, {**github_answers.repository(state.origin), **state.settings.repository}
    if _match(asked, "GET", f"{_GITHUB}/pulls"):
        asked.only(state="open", base="*", per_page="*", page="*")
        found = [r for r in state.open() if r.base == asked.query.get("base", r.base)]
        return 200, _page(asked, "per_page", [_github_pull(state, r, whole=False) for r in found])
    if _match(asked, "POST", f"{_GITHUB}/pulls"):
        body = asked.demand({"title": str, "head": str, "base": str}, {"body": str})
        return 201, _github_pull(state, state.create(body["head"], body["base"], body["title"], body["body"]))
    if found := _match(asked, "GET", f"{_GITHUB}/pulls/([0-9]+)"):
        return 200, _github_pull(state, state.find(found[1]))
    if found := _match(asked, "PATCH", f"{_GITHUB}/pulls/([0-9]+)"):
        request = state.find(found[1])
        _change(request, asked.demand({}, {"title": str, "body": str, "state": str}), "closed")
        return 200, _github_pull(state, request)
    if found := _match(asked, "PUT", f"{_GITHUB}/pulls/([0-9]+)/merge"):
        return _github_merge(state, asked, state.find(found[1]))
    if found := _match(asked, "POST", f"{_GITHUB}/issues/([0-9]+)/comments"):
        request, body = state.find(found[1]), asked.demand({"body": str})["body"]
        request.comments.append(body)
        return 201, github_answers.comment(state.origin, request.number, body)
    if found := _match(asked, "POST", f"{_GITHUB}/issues/([0-9]+)/labels"):
        request = state.find(found[1])
        _label(request, asked.demand({"labels": list})["labels"])
        return 200, [github_answers.label(state.origin, name) for name in request.labels]
    raise Problem(404, "Not Found")


def _github_pull(state: ForgeServer, request: Hosted, *, whole: bool = True) -> dict[str, Any]:
    told = {
        "number": request.number,
        "state": "open" if request.state == "open" else "closed",
        "title": request.title,
        "body": request.body,
        "branch": request.branch,
        "head": state.head(request),
        "base": request.base,
        "base_head": git(state.bare, "rev-parse", f"refs/heads/{request.base}"),
    }
    if not whole:
        return github_answers.pull(state.origin, told, request.labels, fork=request.fork)
    merged = request.state == "merged"
    whole = github_answers.whole_pull(state.origin, told, request.labels, fork=request.fork, merged=merged)
    return {**whole, "mergeable": True if state.looked_at() else None}


def _github_merge(state: ForgeServer, asked: Asked, request: Hosted) -> Answer:
    """What it merges is the head that was named, by a method that the repository and its rules allow."""
    body = asked.demand({"sha": str}, {"merge_method": str})
    method = body.get("merge_method", "merge")
    if state.settings.checking:
        raise Problem(405, "Pull Request is not mergeable")
    if body["sha"] != state.head(request):
        raise Problem(409, "Head branch was modified. Review and try the merge again.")
    setting = {"merge": "allow_merge_commit", "rebase": "allow_rebase_merge", "squash": "allow_squash_merge"}[method]
    if not state.settings.repository.get(setting, True) or method in state.settings.excluded:
        raise Problem(405, f"{method} is not allowed on this repository.")
    if state.settings.unready:
        raise Problem(405, state.settings.unready)
    request.auto_merge = body["sha"]
    return 200, {"sha": state.merge(request, method), "merged": True, "message": "Pull Request successfully merged"}


def _graphql(state: ForgeServer, asked: Asked) -> dict[str, Any]:
    body = asked.demand({"query": str, "variables": dict})
    wanted = body["variables"]["input"]
    if set(wanted) != {"branch", "expectedHeadOid", "message", "fileChanges"}:
        raise Problem(400, f"unknown input {sorted(wanted)}")
    branch = wanted["branch"]["branchName"]
    if wanted["branch"] != {"repositoryNameWithOwner": NAME, "branchName": branch}:
        raise Problem(400, "unknown branch")
    head = git(state.bare, "rev-parse", f"refs/heads/{branch}")
    if wanted["expectedHeadOid"] != head:
        said = f'Expected branch to point to "{wanted["expectedHeadOid"]}" but it did not.'
        return {"data": {"createCommitOnBranch": None}, "errors": [{"type": "STALE_DATA", "message": said}]}
    files = {
        file["path"]: base64.b64decode(file["contents"], validate=True) for file in wanted["fileChanges"]["additions"]
    }
    message = f"{wanted['message']['headline']}\n\n{wanted['message']['body']}\n"
    commit = commit_on(state.bare, branch, head, message, files)
    return {"data": {"createCommitOnBranch": {"commit": {"oid": commit, "signature": {"isValid": True}}}}}


# -- GitLab

_GITLAB = "/api/v4/projects/acme%2Fdeploy"


def gitlab(state: ForgeServer, asked: Asked) -> Answer:
    requests = f"{_GITLAB}/merge_requests"
    if _match(asked, "GET", _GITLAB):
        return 200, {"path_with_namespace": NAME}
    if _match(asked, "GET", requests):
        asked.only(state="opened", target_branch="*", per_page="*", page="*")
        found = [r for r in state.open() if r.base == asked.query["target_branch"]]
        return 200, _page(asked, "per_page", [_merge_request(state, r) for r in found])
    if _match(asked, "POST", requests):
        body = asked.demand(
            {"source_branch": str, "target_branch": str, "title": str},
            {"description": str, "remove_source_branch": bool},
        )
        made = state.create(body["source_branch"], body["target_branch"], body["title"], body["description"])
        return 201, _merge_request(state, made)
    if found := _match(asked, "GET", f"{requests}/([0-9]+)"):
        return 200, _merge_request(state, state.find(found[1]))
    if found := _match(asked, "PUT", f"{requests}/([0-9]+)"):
        request = state.find(found[1])
        body = asked.demand({}, {"title": str, "description": str, "add_labels": str, "state_event": str})
        _label(request, [name for name in body.pop("add_labels", "").split(",") if name])
        renamed = {"description": "body", "state_event": "state"}
        _change(request, {renamed.get(name, name): value for name, value in body.items()}, "close")
        return 200, _merge_request(state, request)
    if found := _match(asked, "POST", f"{requests}/([0-9]+)/notes"):
        state.find(found[1]).comments.append(asked.demand({"body": str})["body"])
        return 201, {"id": 1}
    if found := _match(asked, "PUT", f"{requests}/([0-9]+)/merge"):
        request = state.find(found[1])
        body = asked.demand({}, {"sha": str, "auto_merge": bool, "merge_when_pipeline_succeeds": bool})
        if body["sha"] != state.head(request):
            raise Problem(409, "SHA does not match HEAD of source branch")
        request.auto_merge = body["sha"]
        if not state.settings.unready:  # no pipeline to wait for
            state.merge(request, "merge")
        return 200, _merge_request(state, request)
    raise Problem(404, "404 Project Not Found")


def _merge_request(state: ForgeServer, request: Hosted) -> dict[str, Any]:
    return {
        "id": 1000 + request.number,
        "iid": request.number,
        "web_url": f"{state.origin}/{NAME}/-/merge_requests/{request.number}",
        "state": {"open": "opened"}.get(request.state, request.state),
        "title": request.title,
        "description": request.body,
        "source_branch": request.branch,
        "target_branch": request.base,
        "source_project_id": 2 if request.fork else 1,
        "target_project_id": 1,
        "sha": state.head(request),
    }


# -- Gitea and Forgejo

_GITEA = "/api/v1/repos/acme/deploy"


def gitea(state: ForgeServer, asked: Asked) -> Answer:
    if _match(asked, "GET", _GITEA):
        known = {"full_name": NAME, "archived": False, "has_pull_requests": True, "default_merge_style": "merge"}
        return 200, {**known, **state.settings.repository}
    if _match(asked, "GET", f"{_GITEA}/pulls"):
        asked.only(state="open", limit="50", page="*")
        return 200, _gitea_page(state, asked, [_gitea_pull(state, r) for r in reversed(state.open())])
    if _match(asked, "POST", f"{_GITEA}/pulls"):
        body = asked.demand({"title": str, "head": str, "base": str}, {"body": str})
        made = state.create(body["head"], body["base"], body["title"], body["body"])
        return 201, _gitea_pull(state, made)
    if found := _match(asked, "GET", f"{_GITEA}/pulls/([0-9]+)"):
        return 200, _gitea_pull(state, state.find(found[1]))
    if found := _match(asked, "PATCH", f"{_GITEA}/pulls/([0-9]+)"):
        request = state.find(found[1])
        _change(request, asked.demand({}, {"title": str, "body": str, "state": str}), "closed")
        return 201, _gitea_pull(state, request)
    if found := _match(asked, "POST", f"{_GITEA}/issues/([0-9]+)/comments"):
        state.find(found[1]).comments.append(asked.demand({"body": str})["body"])
        return 201, {"id": 1}
    if found := _match(asked, "POST", f"{_GITEA}/pulls/([0-9]+)/merge"):
        return _gitea_merge(state, asked, state.find(found[1]))
    return _gitea_labels(state, asked)


def _gitea_labels(state: ForgeServer, asked: Asked) -> Answer:
    if _match(asked, "GET", f"{_GITEA}/labels"):
        asked.only(limit="50", page="*")
        return 200, _gitea_page(state, asked, [{"id": id_, "name": name} for name, id_ in state.labels.items()])
    if _match(asked, "POST", f"{_GITEA}/labels"):
        body = asked.demand({"name": str, "color": str})
        if not re.fullmatch("#[0-9a-f]{6}", body["color"]) or body["name"] in state.labels:
            raise Problem(422, "bad label")
        state.labels[body["name"]] = len(state.labels) + 7
        return 201, {"id": state.labels[body["name"]], "name": body["name"]}
    if found := _match(asked, "POST", f"{_GITEA}/issues/([0-9]+)/labels"):
        names = {number: name for name, number in state.labels.items()}
        _label(state.find(found[1]), [names[number] for number in asked.demand({"labels": list})["labels"]])
        return 200, []
    raise Problem(404, "The target couldn't be found.")


def _gitea_merge(state: ForgeServer, asked: Asked, request: Hosted) -> Answer:
    """What Gitea merges later is whatever the head is then: it looks at `head_commit_id` when it merges now alone."""
    body = asked.demand({"Do": str}, {"head_commit_id": str, "merge_when_checks_succeed": bool})
    if state.settings.checking:
        raise Problem(405, "Please try again later")
    if body.get("merge_when_checks_succeed"):
        request.auto_merge = "any"
        return 201, None
    if state.settings.unready:
        raise Problem(405, state.settings.unready)
    if body["Do"] != state.settings.repository.get("default_merge_style", "merge"):
        raise Problem(405, f"{body['Do']} is not allowed an allowed merge style for this repository")
    if body["head_commit_id"] != state.head(request):
        raise Problem(409, "head out of date")
    request.auto_merge = body["head_commit_id"]
    state.merge(request)
    return 200, None


def _gitea_page(state: ForgeServer, asked: Asked, items: list[Any]) -> list[Any]:
    asked.query["limit"] = str(min(int(asked.query["limit"]), state.settings.most))
    return _page(asked, "limit", items)


def _gitea_pull(state: ForgeServer, request: Hosted) -> dict[str, Any]:
    return {
        "mergeable": state.looked_at(),
        "number": request.number,
        "html_url": f"{state.origin}/{NAME}/pulls/{request.number}",
        "state": "open" if request.state == "open" else "closed",
        "title": request.title,
        "body": request.body,
        "head": {"ref": request.branch, "sha": state.head(request), "repo_id": 2 if request.fork else 1},
        "base": {"ref": request.base, "repo_id": 1},
    }


# -- Bitbucket Cloud

_BITBUCKET = "/2.0/repositories/acme/deploy"


def bitbucket(state: ForgeServer, asked: Asked) -> Answer:
    requests = f"{_BITBUCKET}/pullrequests"
    if _match(asked, "GET", _BITBUCKET):
        return 200, {"full_name": NAME}
    if _match(asked, "GET", requests):
        asked.only(state="OPEN", pagelen="*", page="*")
        values = _page(asked, "pagelen", [_bitbucket_pull(state, r) for r in state.open()])
        more = len(state.open()) > int(asked.query["page"]) * int(asked.query["pagelen"])
        return 200, {"values": values, **({"next": "http://127.0.0.1:9/elsewhere"} if more else {})}
    if _match(asked, "POST", requests):
        body = asked.demand(
            {"title": str, "source": dict},
            {"description": str, "destination": dict, "close_source_branch": bool},
        )
        base = body["destination"]["branch"]["name"]
        made = state.create(body["source"]["branch"]["name"], base, body["title"], body["description"])
        return 201, _bitbucket_pull(state, made)
    if found := _match(asked, "GET", f"{requests}/([0-9]+)"):
        return 200, _bitbucket_pull(state, state.find(found[1]))
    if found := _match(asked, "PUT", f"{requests}/([0-9]+)"):
        request, body = state.find(found[1]), asked.demand({"title": str}, {"description": str})
        _change(request, {"title": body["title"], "body": body["description"]}, "")
        return 200, _bitbucket_pull(state, request)
    if found := _match(asked, "POST", f"{requests}/([0-9]+)/comments"):
        state.find(found[1]).comments.append(asked.demand({"content": dict})["content"]["raw"])
        return 201, {"id": 1}
    if found := _match(asked, "POST", f"{requests}/([0-9]+)/decline"):
        state.find(found[1]).state = "closed"
        return 200, _bitbucket_pull(state, state.find(found[1]))
    raise Problem(404, "Repository acme/deploy not found")


def _bitbucket_pull(state: ForgeServer, request: Hosted) -> dict[str, Any]:
    full_name = "somebody/deploy" if request.fork else NAME
    return {
        "id": request.number,
        "links": {"html": {"href": f"{state.origin}/{NAME}/pull-requests/{request.number}"}},
        "state": {"open": "OPEN", "closed": "DECLINED", "merged": "MERGED"}[request.state],
        "title": request.title,
        "description": request.body,
        "source": {
            "branch": {"name": request.branch},
            "commit": {"hash": state.head(request)[:12]},
            "repository": {"full_name": full_name},
        },
        "destination": {"branch": {"name": request.base}, "repository": {"full_name": NAME}},
    }


# -- what they share


def _change(request: Hosted, changes: dict[str, str], closed: str) -> None:
    for name, value in changes.items():
        if name == "state" and value != closed:
            raise Problem(422, f"unknown state {value}")
        setattr(request, name, "closed" if name == "state" else value)
    request.written += not changes.keys() <= {"state"}


def _label(request: Hosted, names: list[str]) -> None:
    request.labels += [name for name in names if name not in request.labels]


ROUTES = {"github": github, "gitlab": gitlab, "gitea": gitea, "forgejo": gitea, "bitbucket": bitbucket}
ERRORS = {
    "github": github_answers.error,
    "gitlab": lambda status, message: {"message": [message] if status == 409 else message},
    "gitea": lambda _status, message: {"message": message},
    "forgejo": lambda _status, message: {"message": message},
    "bitbucket": lambda _status, message: {"type": "error", "error": {"message": message}},
}
"""What each answers with a status that is not 2xx."""
