"""Stand-in."""
from pathlib import Path, PurePosixPath
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from stages.lib.splitting.keys import joined, numbered
def out_of_fold(vectors, labels, groups, classes, seed):
    k=5
    out=np.zeros((len(labels),classes))
    for a,b in StratifiedGroupKFold(k,shuffle=True,random_state=seed).split(np.zeros(len(labels)),labels,groups):
        inner=list(StratifiedGroupKFold(3,shuffle=True,random_state=seed).split(np.zeros(len(a)),labels[a],groups[a]))
        m=GridSearchCV(make_pipeline(StandardScaler(),LogisticRegression(max_iter=200)),{"logisticregression__C":[1,.1,.01,.001]},cv=inner).fit(vectors[a],labels[a])
        out[b[:,None],m.classes_]=m.predict_proba(vectors[b])
    return out
def groups_of(names, duplicates, images):
    table = pd.read_csv(duplicates, dtype={"path": str, "class": str, "action": str}, na_filter=False)
    kept = table[table["action"].str.startswith("kept in ")]
    files = kept["path"].map(lambda path: PurePosixPath(path).name)
    paths = kept["action"].str.removeprefix("kept in ") + "/" + kept["class"] + "/" + files
    known = dict(zip(paths, kept["group"], strict=True))
    copies = np.array([known.get(name, -1 - index) for index, name in enumerate(names)], np.int64)
    return joined(copies, numbered(images["group"][names].tolist()))
