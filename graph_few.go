package atmcp

import (
	"cmp"
	"slices"
	"strconv"
)

// stateCollapsed is of a node that stands for several tasks that have ended.
const stateCollapsed = "collapsed"

// placeFew makes at most maxGraphNodes nodes of more tasks than that: of those that have
// ended a node for all that hang together, and of the others the most urgent.
func (d *drawing) placeFew(ids []TaskID, chosen map[TaskID]bool) {
	linked := make(map[TaskID]bool)
	var live []TaskID
	for _, id := range ids {
		for _, dep := range d.tasks[id].deps {
			if chosen[dep] {
				linked[id], linked[dep] = true, true
			}
		}
	}
	for _, id := range ids {
		if linked[id] && !d.tasks[id].status.final() {
			live = append(live, id)
		}
	}
	groups := d.endedGroups(ids, linked)
	slices.SortStableFunc(live, func(a, b TaskID) int { return cmp.Compare(d.tasks[b].priority, d.tasks[a].priority) })
	for _, id := range live[:min(len(live), maxGraphNodes-min(len(groups), maxGraphNodes/4))] {
		d.add(id)
	}
	waitedFor := make(map[TaskID]bool) // by who is shown
	for id := range d.at {
		for _, dep := range d.tasks[id].deps {
			waitedFor[dep] = true
		}
	}
	for _, members := range groups {
		near := slices.ContainsFunc(members, func(id TaskID) bool { return waitedFor[id] || d.waitsForShown(id) })
		if near && len(d.nodes) < maxGraphNodes {
			d.collapse(members)
		}
	}
}

func (d *drawing) waitsForShown(id TaskID) bool {
	return slices.ContainsFunc(d.tasks[id].deps, func(dep TaskID) bool { _, shown := d.at[dep]; return shown })
}

// endedGroups are the ended tasks that hang together through ended ones, each in the order
// of their numbers.
func (d *drawing) endedGroups(ids []TaskID, linked map[TaskID]bool) [][]TaskID {
	parent := make(map[TaskID]TaskID)
	var root func(TaskID) TaskID
	root = func(id TaskID) TaskID {
		if parent[id] != id {
			parent[id] = root(parent[id])
		}
		return parent[id]
	}
	for _, id := range ids {
		if linked[id] && d.tasks[id].status.final() {
			parent[id] = id
		}
	}
	for _, id := range ids {
		if _, ended := parent[id]; !ended {
			continue
		}
		for _, dep := range d.tasks[id].deps {
			if _, ended := parent[dep]; ended {
				parent[root(id)] = root(dep)
			}
		}
	}
	place := make(map[TaskID]int)
	var groups [][]TaskID
	for _, id := range ids {
		if _, ended := parent[id]; !ended {
			continue
		}
		i, known := place[root(id)]
		if !known {
			i = len(groups)
			place[root(id)] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], id)
	}
	return groups
}

// collapse makes one node of tasks that have ended; of a single one its own.
func (d *drawing) collapse(members []TaskID) {
	if len(members) == 1 {
		d.add(members[0])
		return
	}
	for _, id := range members {
		d.at[id] = len(d.nodes)
	}
	d.nodes = append(d.nodes, GraphNode{
		ID: "ended:" + strconv.FormatUint(uint64(d.tasks[members[0]].number), 10), State: stateCollapsed, Collapsed: len(members),
	})
}
