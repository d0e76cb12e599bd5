"""What GitHub answers, with every key that its published description says is always there.

`support.forge_hosts` gives these answers; `tests/interop/test_forges_described.py` holds them against the description.
"""

from __future__ import annotations

from typing import Any

NAME = "acme/deploy"
WHEN = "2024-05-01T12:00:00Z"
DOCUMENTATION = "https://docs.github.com/rest"

_USER_URLS = {
    "events_url": "/events{/privacy}",
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "organizations_url": "/orgs",
    "received_events_url": "/received_events",
    "repos_url": "/repos",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "url": "",
}
_REPOSITORY_URLS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
    "url": "",
}
_LINKS = ("comments", "commits", "statuses", "html", "issue", "review_comments", "review_comment", "self")


def user(origin: str, login: str) -> dict[str, Any]:
    """An account."""
    api = f"{origin}/api/v3/users/{login}"
    return {
        **{name: f"{api}{rest}" for name, rest in _USER_URLS.items()},
        "login": login,
        "id": 5,
        "node_id": f"U_{login}",
        "avatar_url": f"{origin}/avatars/{login}",
        "gravatar_id": "",
        "html_url": f"{origin}/{login}",
        "type": "Bot",
        "site_admin": False,
    }


def repository(origin: str, *, fork: bool = False) -> dict[str, Any]:
    """The repository, or somebody's fork of it."""
    owner, number = ("somebody", 2) if fork else ("acme", 1)
    html, api = f"{origin}/{owner}/deploy", f"{origin}/api/v3/repos/{owner}/deploy"
    return {
        **{name: f"{api}{rest}" for name, rest in _REPOSITORY_URLS.items()},
        **dict.fromkeys(("description", "homepage", "language", "mirror_url", "license")),
        **dict.fromkeys(("has_downloads", "has_issues", "has_projects", "has_wiki"), True),
        **dict.fromkeys(("has_pages", "has_discussions", "archived", "disabled", "private"), False),
        **dict.fromkeys(("forks", "forks_count", "stargazers_count", "watchers", "watchers_count"), 0),
        **dict.fromkeys(("open_issues", "open_issues_count", "network_count", "subscribers_count"), 0),
        **dict.fromkeys(("created_at", "updated_at", "pushed_at"), WHEN),
        "id": number,
        "node_id": f"R_{number}",
        "name": "deploy",
        "full_name": f"{owner}/deploy",
        "owner": user(origin, owner),
        "fork": fork,
        "html_url": html,
        "clone_url": f"{html}.git",
        "git_url": f"git:{html.partition(':')[2]}.git",
        "ssh_url": f"git@127.0.0.1:{owner}/deploy.git",
        "svn_url": html,
        "default_branch": "main",
        "size": 12,
    }


def label(origin: str, name: str) -> dict[str, Any]:
    """A label of the repository."""
    return {
        "id": 70,
        "node_id": f"LA_{name}",
        "url": f"{origin}/api/v3/repos/{NAME}/labels/{name.replace(' ', '%20')}",
        "name": name,
        "description": "",
        "color": "ededed",
        "default": False,
    }


def comment(origin: str, number: int, body: str) -> dict[str, Any]:
    """A comment on the request of that number."""
    api = f"{origin}/api/v3/repos/{NAME}/issues"
    return {
        "id": 1,
        "node_id": "IC_1",
        "url": f"{api}/comments/1",
        "html_url": f"{origin}/{NAME}/pull/{number}#issuecomment-1",
        "issue_url": f"{api}/{number}",
        "body": body,
        "user": user(origin, "bot"),
        "author_association": "MEMBER",
        "created_at": WHEN,
        "updated_at": WHEN,
    }


def pull(origin: str, told: dict[str, Any], labels: list[str], *, fork: bool) -> dict[str, Any]:
    """A request as it stands in a list; `told` has its number, state, title and body, branch, base, head and the
    base's commit.
    """
    number = told["number"]
    api, html = f"{origin}/api/v3/repos/{NAME}", f"{origin}/{NAME}/pull/{number}"
    urls = {
        "url": f"{api}/pulls/{number}",
        "html_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "issue_url": f"{api}/issues/{number}",
        "commits_url": f"{api}/pulls/{number}/commits",
        "review_comments_url": f"{api}/pulls/{number}/comments",
        "review_comment_url": f"{api}/pulls/comments{{/number}}",
        "comments_url": f"{api}/issues/{number}/comments",
        "statuses_url": f"{api}/statuses/{told['head']}",
    }
    return {
        **urls,
        **dict.fromkeys(("assignee", "milestone", "auto_merge", "merge_commit_sha", "merged_at")),
        **{name: [] for name in ("assignees", "requested_reviewers", "requested_teams")},
        "_links": {name: {"href": urls.get(f"{name}_url", urls["url"])} for name in _LINKS},
        "id": 900 + number,
        "node_id": f"PR_{number}",
        "number": number,
        "state": told["state"],
        "locked": False,
        "draft": False,
        "title": told["title"],
        "body": told["body"],
        "user": user(origin, "bot"),
        "labels": [label(origin, name) for name in labels],
        "author_association": "MEMBER",
        "created_at": WHEN,
        "updated_at": WHEN,
        "closed_at": None if told["state"] == "open" else WHEN,
        "head": _side(origin, told["branch"], told["head"], fork=fork),
        "base": _side(origin, told["base"], told["base_head"], fork=False),
    }


def whole_pull(origin: str, told: dict[str, Any], labels: list[str], *, fork: bool, merged: bool) -> dict[str, Any]:
    """A request as it is told alone."""
    return {
        **pull(origin, told, labels, fork=fork),
        **dict.fromkeys(("additions", "changed_files", "commits", "deletions"), 1),
        **dict.fromkeys(("comments", "review_comments"), 0),
        "merged": merged,
        "mergeable": None,
        "mergeable_state": "unknown",
        "maintainer_can_modify": False,
        "merged_by": None,
    }


def error(status: int, message: str) -> dict[str, Any]:
    """What goes with a status that is not 2xx."""
    named = {"errors": [{"resource": "PullRequest", "code": "custom", "message": message}]} if status == 422 else {}
    said = "Validation Failed" if status == 422 else message
    return {"message": said, **named, "documentation_url": DOCUMENTATION, "status": str(status)}


def _side(origin: str, branch: str, commit: str, *, fork: bool) -> dict[str, Any]:
    owner = "somebody" if fork else "acme"
    return {
        "label": f"{owner}:{branch}",
        "ref": branch,
        "sha": commit,
        "user": user(origin, owner),
        "repo": repository(origin, fork=fork),
    }
